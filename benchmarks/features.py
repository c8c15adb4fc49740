"""Nine-band FBCSP features of trials: ours against filtering band by band.

python benchmarks/features.py
python benchmarks/features.py --channels 64 --trials 96

The peer is what people write: for each band SciPy's forward-backward filter in double
precision, pyRiemann's covariance of each trial and its CSP. Both shrink covariances by OAS, find
four filters a band from all classes together and return log-variances.

Two things are compared before anything is timed. Ours in single precision against ours of
double-precision samples filtered one by one: rounding. Ours against the peer: how the two
filters differ, which is at the ends of a trial, where the transform forgets beyond one second.
"""

from __future__ import annotations

import argparse
import warnings
from typing import Any

from timing import compare, one_thread

one_thread()

import numpy as np  # noqa: E402
from numpy.typing import NDArray  # noqa: E402
from pyriemann.estimation import Covariances  # noqa: E402
from pyriemann.spatialfilters import CSP as PeerCSP  # noqa: E402
from scipy.signal import butter, sosfiltfilt  # noqa: E402

from eegvit.features.covariances import covariances  # noqa: E402
from eegvit.features.csp import CSP  # noqa: E402
from eegvit.features.filterbank import (  # noqa: E402
    FLOOR,
    NINE_BANDS,
    FilterBankCovariances,
    filter_bank,
)

SFREQ = 250.0
N_FILTERS = 4
ROUNDING, FILTERS = 1e-5, 0.03  # tolerances, stated on the first lines of the output


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--trials", type=int, default=288)
    parser.add_argument("--channels", type=int, default=22)
    parser.add_argument("--times", type=int, default=1000)
    parser.add_argument("--repeats", type=int, default=5)
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    X, y = draw(options.trials, options.channels, options.times)
    print(f"{X.shape} at {SFREQ:g} Hz, {len(NINE_BANDS)} bands, single precision")
    found = FilterBankCovariances(sfreq=SFREQ).transform(X)
    exact = filtered_one_by_one(X.astype(np.float64))
    rounding = difference(found, exact)
    print(f"covariances against every sample filtered, in double: {rounding:.1e} of the variances")
    assert rounding < ROUNDING, f"more than {ROUNDING}"
    own, theirs = ours(X, y), peer(X, y)
    spread = theirs.std(axis=0)
    apart = np.sqrt(np.mean(((own - theirs) / spread) ** 2))
    print(f"log-variances against the peer's: {apart:.1e} of their spread (rms), the filters' ends")
    assert apart < FILTERS, f"more than {FILTERS}"
    compare(lambda: ours(X, y), lambda: peer(X, y), options.repeats)


def draw(n: int, n_channels: int, n_times: int) -> tuple[NDArray[np.float32], NDArray[Any]]:
    """Return trials with a drift, whose sources have a power that depends on the class."""
    rng = np.random.default_rng(0)
    y = rng.permutation(np.arange(n) % 4)
    X = rng.standard_normal((n, n_channels, n_times))
    X += 0.2 * np.cumsum(rng.standard_normal(X.shape), axis=-1)
    X[np.arange(n), y % n_channels] *= 0.4
    mixing = rng.standard_normal((n_channels, n_channels))
    return (mixing @ X).astype(np.float32), y


def ours(X: NDArray[Any], y: NDArray[Any]) -> NDArray[np.float64]:
    """Return log-variances (n, bands, filters)."""
    C = FilterBankCovariances(sfreq=SFREQ).transform(X)
    csp = CSP(n_components=N_FILTERS, multiclass="joint", shrinkage=0.0)
    return csp.fit(C, y).transform(C)[:, :, 0]


def peer(X: NDArray[Any], y: NDArray[Any]) -> NDArray[np.float64]:
    """Return the same, filtered band by band."""
    features = []
    for band in NINE_BANDS:
        sos = butter(4, band, "bandpass", fs=SFREQ, output="sos")
        filtered = sosfiltfilt(sos, X.astype(np.float64), padlen=min(X.shape[-1] - 1, 250))
        C = Covariances("oas").transform(filtered)
        features.append(PeerCSP(nfilter=N_FILTERS).fit(C, y).transform(C))
    return np.stack(features, axis=1)


def filtered_one_by_one(X: NDArray[Any]) -> NDArray[np.float64]:
    """Return the covariances that `FilterBankCovariances` stands for."""
    floor = FLOOR * np.square(X).mean(axis=(1, 2))[:, None, None] * np.eye(X.shape[1])
    bands = filter_bank(X, NINE_BANDS, SFREQ)
    return np.stack([covariances(filtered, "oas") + floor for filtered in bands], axis=1)


def difference(found: NDArray[Any], expected: NDArray[Any]) -> float:
    """Return the largest difference of covariances, relative to the channels' variances."""
    scale = np.sqrt(np.diagonal(expected, axis1=-2, axis2=-1))
    return float((np.abs(found - expected) / (scale[..., None] * scale[..., None, :])).max())


if __name__ == "__main__":
    main()

"""Arrays are read as NumPy reads them, whatever they are, and nothing else is taken for them."""

from __future__ import annotations

import io

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from eegvit.execute.npz import read_arrays

SHAPES = arrays.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=4)
TYPES = st.sampled_from(["f8", "f4", ">i2", "i8", "u1", "?", "U3", "S5", "c16"])


def _content(save=np.savez, **named):
    file = io.BytesIO()
    save(file, **named)
    return file.getvalue()


@given(st.dictionaries(st.text("abc", min_size=1), arrays.arrays(TYPES, SHAPES), min_size=1))
def test_as_numpy_reads_them(named):
    content = _content(**named)
    found = read_arrays(content)
    with np.load(io.BytesIO(content)) as saved:
        assert list(found) == list(saved)
        for name, array in found.items():
            other = saved[name]
            assert (array.dtype, array.shape) == (other.dtype, other.shape)
            assert array.tobytes() == other.tobytes() and array.flags.writeable


@pytest.mark.parametrize("order", ["C", "F"])
def test_orders_and_what_savez_does_not_write(order):
    X = np.asarray(np.arange(6.0).reshape(2, 3), order=order)
    for save in (np.savez, np.savez_compressed):
        assert np.array_equal(read_arrays(_content(save, X=X))["X"], X)


def test_objects_and_other_files_are_refused():
    with pytest.raises(ValueError):
        read_arrays(_content(X=np.array([{}], dtype=object)))
    for content in (b"", b"no zip", b"PK\x05\x06" + bytes(18)):
        with pytest.raises(ValueError, match="no arrays"):
            read_arrays(content)
    whole = _content(X=np.arange(100.0))
    for cut in (10, 60, 300):
        with pytest.raises((ValueError, LookupError)):
            read_arrays(whole[:cut])

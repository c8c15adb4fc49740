"""The manifest: what made a report, on which machine, from which code."""

from __future__ import annotations

import hashlib
import math
import os
import platform
import subprocess
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import eegvit
from eegvit.config import sha256
from eegvit.plan.versions import version
from eegvit.report.same_study import asked
from eegvit.results.results import Results

FORMAT = 2
OF_A_CARD = {"name", "source", "licence", "citation", "url", "notes"}
PACKAGES = (
    "braindecode",
    "mne",
    "moabb",
    "numpy",
    "pyriemann",
    "scikit-learn",
    "scipy",
    "torch",
    "xgboost",
)


def manifest(results: Results, command: str = "") -> dict[str, Any]:
    """Return all that is needed to say how a report came about, as plain values."""
    study = results.study
    plain = asked(study)
    return {
        "format": FORMAT,
        "study": study.name,
        "study_file": Path(study.path).name,
        "study_text": study.source_text,
        "study_sha256": sha256(plain),
        "asked": plain,
        "scores_sha256": digest_of_scores(results),
        "simulated": results.simulated,
        "command": command,
        "written": datetime.now(UTC).isoformat(timespec="seconds"),
        "commit": commit(),
        "versions": versions(),
        "machine": machine(),
        "data": [card.model_dump(mode="json", include=OF_A_CARD) for card in study.data],
        "classes": results.class_counts,
        "n_subjects": results.n_subjects,
        "cpu_seconds_per_stage": {
            name: None if math.isnan(seconds) else round(seconds, 3)
            for name, seconds in (results.view_stages | results.stages).items()
        },
        "fits": results.fits,
    }


def digest_of_scores(results: Results) -> str:
    """Return the sha256 of scores.csv."""
    from eegvit.report.text.csv_files import scores_csv

    return hashlib.sha256(scores_csv(results).encode()).hexdigest()


def versions() -> dict[str, str]:
    """Return the versions of Python, this package and those it computes with."""
    found = {"python": platform.python_version(), "eegvit": eegvit.__version__}
    known = {name: version(name) for name in PACKAGES}
    return found | {name: own for name, own in known.items() if own != "unknown"}


def machine() -> dict[str, Any]:
    """Return processor, cores, memory and operating system."""
    return {
        "processor": _processor(),
        "cores": os.cpu_count(),
        "memory_gib": _memory_gib(),
        "system": f"{platform.system()} {platform.release()} {platform.machine()}",
    }


def commit() -> str:
    """Return the commit of the running code, "+" added if it was changed; "" outside git."""
    here = Path(eegvit.__file__).resolve().parent
    if not _git(here, "ls-files", "__init__.py"):
        return ""
    changed = _git(here, "status", "--porcelain", "--untracked-files=all", ".")
    return _git(here, "rev-parse", "HEAD") + ("+" if changed else "")


def _git(folder: Path, *arguments: str) -> str:
    try:
        said = subprocess.run(
            ["git", "-C", str(folder), *arguments],
            capture_output=True,
            encoding="utf-8",
            timeout=10,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return said.stdout.strip() if said.returncode == 0 else ""


def _processor() -> str:
    listing = Path("/proc/cpuinfo")
    if listing.exists():
        for line in listing.read_text("utf-8", "replace").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def _memory_gib() -> float | None:
    try:
        n_bytes = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):
        return None
    return round(n_bytes / 2**30, 1)

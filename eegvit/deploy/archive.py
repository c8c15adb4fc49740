"""One zip of JSON, arrays and tensors, sealed as a whole.

The zip's comment is the SHA-256 of every byte before it, so that any change of the file is seen:
it is there for damage, and tells nothing of who wrote the file. `unzip` reads it as any other.
"""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import safetensors.numpy

from eegvit.deploy.written import Written
from eegvit.sealed import UNFIT, Damaged, reading, replacing

FORMAT = 1
MARK = b"eegvit decoder "
_SEAL = len(MARK) + 64  # bytes of the comment
_CONTENT, _VALUE, _ARRAYS, _NETWORKS = "decoder.json", "value.json", "arrays/", "networks/"


def write(path: Path, about: dict[str, Any], made: Written) -> None:
    """Write a decoder's file; it is whole or not there at any moment.

    Examples
    --------
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "a.eegvit"
    >>> write(path, {"study": "small"}, Written([1], {"0": np.arange(2)}))
    >>> about, made = read(path)
    >>> about, made.value, made.arrays
    ({'study': 'small'}, [1], {'0': array([0, 1])})
    >>> _ = path.write_bytes(path.read_bytes().replace(b"small", b"great"))
    >>> read(path)
    Traceback (most recent call last):
    eegvit.sealed.Damaged: ...a.eegvit is damaged or was changed: its checksum is wrong
    """
    with replacing(path) as file:
        file.write(packed(about, made))


def packed(about: dict[str, Any], made: Written) -> bytes:
    """Return what a decoder's file holds.

    Examples
    --------
    >>> unpacked(packed({"study": "small"}, Written([1])), "here")[0]
    {'study': 'small'}
    """
    content = {"format": FORMAT, "about": about}
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        archive.writestr(_CONTENT, json.dumps(content, indent=1, allow_nan=False))
        archive.writestr(_VALUE, json.dumps(made.value, allow_nan=False))
        for key, array in made.arrays.items():
            held = io.BytesIO()
            np.save(held, array, allow_pickle=False)
            archive.writestr(f"{_ARRAYS}{key}.npy", held.getvalue())
        for key, tensors in made.networks.items():
            archive.writestr(f"{_NETWORKS}{key}.safetensors", safetensors.numpy.save(tensors))
        archive.comment = bytes(_SEAL)
    body = buffer.getvalue()[:-_SEAL]
    return body + _seal(body)


def read(path: Path) -> tuple[dict[str, Any], Written]:
    """Return what a decoder's file says of itself, and what was written; refuse a changed one."""
    with reading(path):
        whole = path.read_bytes()
    return unpacked(whole, str(path))


def unpacked(whole: bytes, path: str) -> tuple[dict[str, Any], Written]:
    """Return what the content of a decoder's file says; `path` is what errors call it."""
    if not whole.startswith(b"PK") or whole[-_SEAL:][: len(MARK)] != MARK:
        raise Damaged(f"{path} is no decoder, or only a part of one")
    if whole[-_SEAL:] != _seal(whole[:-_SEAL]):
        raise Damaged(f"{path} is damaged or was changed: its checksum is wrong")
    with zipfile.ZipFile(io.BytesIO(whole)) as archive:
        content = json.loads(archive.read(_CONTENT))
        if content["format"] != FORMAT:
            raise ValueError(
                f"{path} is of format {content['format']}, and this version of eegvit reads"
                f" {FORMAT}: install the version that it names, or fit it again"
            )
        try:
            return content["about"], _unpacked(archive)
        except UNFIT as error:
            raise Damaged(f"{path} holds what no decoder does: {error}") from error


def _unpacked(archive: zipfile.ZipFile) -> Written:
    made = Written(json.loads(archive.read(_VALUE)))
    for name in archive.namelist():
        key = name.rpartition("/")[2].partition(".")[0]
        if name.startswith(_ARRAYS):
            made.arrays[key] = np.load(io.BytesIO(archive.read(name)), allow_pickle=False)
        elif name.startswith(_NETWORKS):
            made.networks[key] = safetensors.numpy.load(archive.read(name))
    return made


def _seal(body: bytes) -> bytes:
    return MARK + hashlib.sha256(body).hexdigest().encode()

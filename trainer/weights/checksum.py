"""Checksums of weights and of their files."""

from __future__ import annotations

import functools
import hashlib
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import keras


def verify_checksum(path: Path, sha256: str, fix: str) -> None:
    """Checks that a file has the published content.

    Args:
        path: Path. The file.
        sha256: str. Expected checksum in hexadecimal.
        fix: str. A sentence that says how to get the right file.

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: if the content differs.
    """
    if not path.is_file():
        raise FileNotFoundError(f"Weights file not found: {path.absolute()}. {fix}")
    stat = path.stat()
    received = _sha256(path, stat.st_size, stat.st_mtime_ns)
    if received != sha256:
        raise ValueError(
            f"Weights file {path} is not the published one. "
            f"Expected sha256 {sha256}. Received: {received}. {fix}"
        )


def digest_weights(model: keras.Model) -> str:
    """Returns a hash of the values of all weights of a model."""
    digest = hashlib.blake2b(digest_size=16)
    for weight in model.weights:
        digest.update(np.ascontiguousarray(weight.numpy()).view(np.uint8))
    return digest.hexdigest()


@functools.lru_cache(maxsize=16)
def _sha256(path: Path, size: int, modified: int) -> str:
    """Hashes a file once for as long as its size and time of change stay the same."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()

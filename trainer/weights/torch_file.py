"""Reads tensors from PyTorch's old file format, without PyTorch and without running its code."""

from __future__ import annotations

import io
import pickle
import sys
from collections import OrderedDict
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

_MAGIC = 0x1950A86A20F9469CFC6C
_VERSION = 1001
_DTYPES = {
    "DoubleStorage": "<f8",
    "FloatStorage": "<f4",
    "HalfStorage": "<f2",
    "LongStorage": "<i8",
    "IntStorage": "<i4",
    "ShortStorage": "<i2",
    "CharStorage": "<i1",
    "ByteStorage": "<u1",
    "BoolStorage": "?",
}


@dataclass(frozen=True)
class _Storage:
    """A flat run of numbers, written at the end of the file; tensors are views of it."""

    key: str
    dtype: str
    size: int


@dataclass(frozen=True)
class _View:
    storage: _Storage
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]

    def read(self, values: np.ndarray) -> np.ndarray:
        """Cuts the tensor out of its storage; a view that reaches outside is refused."""
        steps = zip(self.shape, self.strides, strict=True)
        last = self.offset + sum((size - 1) * stride for size, stride in steps)
        negative = min((self.offset, *self.shape, *self.strides)) < 0
        if negative or (0 not in self.shape and last >= values.size):
            raise ValueError(
                f"A tensor must lie inside its storage of {values.size} values. "
                f"Received: offset={self.offset}, shape={self.shape}, strides={self.strides}."
            )
        strides = [stride * values.itemsize for stride in self.strides]
        start = values[self.offset :] if 0 not in self.shape else values
        return np.lib.stride_tricks.as_strided(start, self.shape, strides).copy()


class _RestrictedUnpickler(pickle.Unpickler):
    """Builds dicts of tensors, and refuses to look up anything that could run code."""

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) == ("collections", "OrderedDict"):
            return OrderedDict
        if (module, name) == ("torch._utils", "_rebuild_tensor_v2"):
            return _rebuild_tensor
        if module == "torch" and name in _DTYPES:
            return name
        raise pickle.UnpicklingError(
            "Only tensors are read from a PyTorch file. Expected OrderedDict, "
            f"_rebuild_tensor_v2 or one of {sorted(_DTYPES)}. Received: {module}.{name}. "
            "Save a plain `state_dict()`, best of all as safetensors."
        )

    def persistent_load(self, pid: Any) -> _Storage:
        kind, storage_type, key, _, size, view = pid
        if kind != "storage" or view is not None or storage_type not in _DTYPES:
            raise pickle.UnpicklingError(
                f"Expected a whole storage as persistent id. Received: {pid!r}."
            )
        return _Storage(str(key), _DTYPES[storage_type], int(size))


def read_torch_file(path: str | Path) -> dict[str, np.ndarray]:
    """Reads a `state_dict` that `torch.save` wrote before PyTorch 1.6.

    Such a file is a row of pickles, which can run any code when read plainly;
    here only the look-ups that tensors need are answered.

    Args:
        path: The `.pth` or `.pt` file.

    Returns:
        Arrays by name, in the file's order.

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: if it is not of that format, holds anything but named
            tensors, or ends early.
    """
    content = Path(path).read_bytes()
    if content[:4] == b"PK\x03\x04":
        raise ValueError(
            f"Expected PyTorch's old file format. Received a zip file: {path}. Convert it to "
            "safetensors, or save it with `_use_new_zipfile_serialization=False`."
        )
    file = io.BytesIO(content)
    try:
        return _read(file)
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from error
    # Damaged bytes raise nearly anything inside an unpickler.
    except Exception as error:
        raise ValueError(
            f"{path} is not a state_dict in PyTorch's old file format: {error}"
        ) from error


def _read(file: io.BytesIO) -> dict[str, np.ndarray]:
    header = [_RestrictedUnpickler(file).load() for _ in range(3)]
    if header[:2] != [_MAGIC, _VERSION] or not header[2]["little_endian"]:
        raise ValueError(
            "Expected the magic number, version 1001 and little-endian numbers of PyTorch's old "
            f"file format. Received: {header}."
        )
    tensors = _RestrictedUnpickler(file).load()
    if not isinstance(tensors, dict):
        raise ValueError(f"Expected a dict of tensors. Received: {type(tensors).__name__}.")
    for name, view in tensors.items():
        if not isinstance(name, str) or not isinstance(view, _View):
            raise ValueError(
                f"Expected tensors by name. Received: {name!r}: {type(view).__name__}."
            )
    storages = {view.storage.key: view.storage for view in tensors.values()}
    values = {}
    for key in _RestrictedUnpickler(file).load():
        values[key] = _read_storage(file, storages[key])
    return {name: view.read(values[view.storage.key]) for name, view in tensors.items()}


def _read_storage(file: io.BytesIO, storage: _Storage) -> np.ndarray:
    size = int.from_bytes(file.read(8), "little", signed=True)
    if size != storage.size:
        raise ValueError(f"Expected {storage.size} values in a storage. Received: {size}.")
    dtype = np.dtype(storage.dtype)
    content = file.read(size * dtype.itemsize)
    if len(content) != size * dtype.itemsize:
        raise ValueError(
            f"The file ends early: expected {size * dtype.itemsize} bytes. "
            f"Received: {len(content)}."
        )
    values = np.frombuffer(content, dtype)
    return values if sys.byteorder == "little" else values.astype(dtype.newbyteorder("="))


def _rebuild_tensor(
    storage: _Storage, offset: int, shape: tuple[int, ...], strides: tuple[int, ...], *_: Any
) -> _View:
    """Stands in for `torch._utils._rebuild_tensor_v2`; the numbers come later in the file."""
    return _View(storage, offset, tuple(shape), tuple(strides))

"""A TFLite file that says nothing twice."""

from __future__ import annotations

from typing import Any

import flatbuffers
import numpy as np
from ai_edge_litert import schema_py_generated as schema

_IDENTIFIER = b"TFL3"
# The schema asks for it where weights lie.
_ALIGNMENT = 16


def share_vectors(content: bytes) -> bytes:
    """Returns the same TFLite network with equal arrays of numbers written once.

    The converter writes 8 bytes of zero point for each channel of each weight, and
    again for its bias, and all of them are zero: more than 1 % of a file of 8 bits.

    Args:
        content: A TFLite file.
    """
    model = schema.ModelT.InitFromPackedBuf(content)
    builder = _Builder(len(content))
    builder.Finish(model.Pack(builder), file_identifier=_IDENTIFIER)
    return bytes(builder.Output())


class _Builder(flatbuffers.Builder):
    """Points to the array that was written before where another is equal to it."""

    def __init__(self, size: int) -> None:
        super().__init__(size)
        self._written: dict[tuple[str, bytes], Any] = {}

    def CreateNumpyVector(self, x: np.ndarray) -> Any:
        content = np.ascontiguousarray(x, x.dtype.newbyteorder("<")).tobytes()
        key = (x.dtype.str, content)
        if key not in self._written:
            self.StartVector(x.itemsize, x.size, _ALIGNMENT)
            self.head -= len(content)
            self.Bytes[self.head : self.head + len(content)] = content
            self._written[key] = self.EndVector()
        return self._written[key]

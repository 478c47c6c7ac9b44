"""Products, as a program has them, to the raw values that a signature reads."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from serving.client.tensors import as_objects
from trainer.inputs import InputSpec, columns_read

Product = Mapping[str, Any]
"""By input or column: a `Path` to a file, `bytes`, a text, a number, or `None` for absent."""
RawValues = Mapping[str, bytes | float]
_SEPARATOR = "\n"


class ProductReader:
    """Knows the inputs of a model.

    Args:
        inputs: Of the signature. A kind other than `image`, `text`,
            `category` and `number` is a string of which no more is known.
        folder: Where relative paths start.
    """

    def __init__(self, inputs: Sequence[InputSpec], folder: Path = Path()) -> None:
        self.inputs = tuple(inputs)
        self._folder = folder
        self._known = {spec.name for spec in inputs} | set(columns_read(inputs))

    def read(self, product: Product) -> dict[str, bytes | float]:
        """Returns the raw value of every input; `b""` or NaN where the product has none.

        Raises:
            ValueError: for a key or a value that the model cannot take.
            OSError: if a file cannot be read.
        """
        if unknown := product.keys() - self._known:
            raise ValueError(
                f"Unknown input {sorted(unknown)[0]!r} of a product. The model reads "
                f"{sorted(self._known)}. Received: {sorted(product)}."
            )
        return {spec.name: self._read_input(spec, product) for spec in self.inputs}

    def collect(self, rows: Sequence[RawValues]) -> dict[str, np.ndarray]:
        """Returns the raw values of some products as arrays `(batch,)` by input name."""
        return {
            spec.name: (
                np.array([row[spec.name] for row in rows], np.float32)
                if spec.kind == "number"
                else as_objects([row[spec.name] for row in rows])
            )
            for spec in self.inputs
        }

    def _read_input(self, spec: InputSpec, product: Product) -> bytes | float:
        if spec.name in product:
            if given := [name for name in spec.columns if name in product and name != spec.name]:
                raise ValueError(
                    f"A product gives the input {spec.name!r} or its columns, not both. "
                    f"Received: {[spec.name, *given]}."
                )
            cells = [product[spec.name]]
        else:
            cells = [product.get(name) for name in spec.columns]
        cells = [cell for cell in cells if not _is_absent(cell)]
        if spec.kind == "number":
            return _read_number(spec.name, cells[0]) if cells else math.nan
        if not cells:
            return b""
        if spec.kind == "text" and len(cells) > 1:
            # A line a column, as in training.
            return _SEPARATOR.join(" ".join(str(cell).split()) for cell in cells).encode()
        return self._read_bytes(spec, cells[0])

    def _read_bytes(self, spec: InputSpec, cell: Any) -> bytes:
        if isinstance(cell, Path) or (spec.kind == "image" and isinstance(cell, str)):
            return (self._folder / cell).read_bytes()
        if isinstance(cell, (bytes, bytearray, memoryview)):
            return bytes(cell)
        if isinstance(cell, str) or (spec.kind != "image" and isinstance(cell, int | float)):
            return str(cell).encode("utf-8", errors="replace")
        raise ValueError(
            f"The input {spec.name!r} takes a Path, bytes or a text. "
            f"Received: {type(cell).__name__} {str(cell)[:80]!r}."
        )


def _is_absent(cell: Any) -> bool:
    """Says whether a value stands for none: `None`, `""`, `b""` or NaN."""
    if isinstance(cell, float | np.floating):
        return math.isnan(cell)
    return cell is None or (isinstance(cell, str | bytes) and not cell)


def _read_number(name: str, cell: Any) -> float:
    try:
        return float(cell)
    except (TypeError, ValueError) as error:
        raise ValueError(
            f"The input {name!r} takes a number. Received: {str(cell)[:80]!r}."
        ) from error

"""Products as the tensors that the network reads."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from serving.edge.encoders.encoder import Tensors, Values
from serving.edge.reading.values import Told, Value, read_value, split_cells
from serving.edge.registry import find_encoder

Row = Mapping[str, Told | Sequence[Told]]


@dataclass(frozen=True)
class Product:
    """What could be read of a product.

    Args:
        values: As training reads them, by input name; `b""` or NaN where there is none.
        tensors: What the network reads, each with a batch axis of 1.
        problems: What could not be read, `"<input>: <clause>"`.
        present: The inputs that it has.
    """

    values: dict[str, Value]
    tensors: Tensors
    problems: list[str]
    present: list[str]


class ProductReader:
    """Runs the preprocessing of all branches of a model.

    Args:
        branches: The `branches` of `preprocessing.json`: each a `name`, an
            `input` (`name`, `kind`, `columns`), an `encoder`, its `options` and
            its `state`.
    """

    def __init__(self, branches: Sequence[Mapping[str, Any]]) -> None:
        self.inputs = {branch["input"]["name"]: branch["input"]["kind"] for branch in branches}
        self.columns: dict[str, list[str]] = {
            branch["input"]["name"]: list(branch["input"]["columns"]) for branch in branches
        }
        self._encoders = [
            (
                branch["input"]["name"],
                find_encoder(branch["encoder"])(branch["name"], branch["options"], branch["state"]),
            )
            for branch in branches
        ]

    def read(self, row: Row) -> Product:
        """Reads a product as training would have, and leaves out what cannot be read.

        Args:
            row: What is told of it by input name: the bytes of a picture file of
                any format that training takes, a text or a category as `str` or
                UTF-8, a number or how somebody wrote it. Of several columns
                either a list, or one text with a line break between them. What
                is empty, or not there, the product does not have.

        Raises:
            ValueError: for an unknown input.
        """
        self._check_names([row])
        values: dict[str, Value] = {}
        tensors: Tensors = {}
        problems: list[str] = []
        for name, kind in self.inputs.items():
            values[name], problem = read_value(kind, self._split(name, row.get(name)))
            try:
                own = self._encode(name, values)
            # It was a picture, and yet could not be decoded.
            except ValueError as error:
                values[name], problem = (math.nan if kind == "number" else b""), str(error)
                own = self._encode(name, values)
            tensors |= own
            if problem:
                problems.append(f"{name}: {problem}")
        present = [name for name in self.inputs if tensors[f"{name}_present"].all()]
        return Product(values, self.shorten(tensors), problems, present)

    def _split(self, name: str, told: Told | Sequence[Told]) -> Sequence[Told]:
        """Returns the cells of an input."""
        if isinstance(told, list | tuple):
            return told
        if self.inputs[name] != "text" or not isinstance(told, bytes | str):
            return [told]  # type: ignore[list-item]
        text = told.decode("utf-8", "replace") if isinstance(told, bytes) else told
        return split_cells(text, len(self.columns[name]))

    def _encode(self, name: str, values: Mapping[str, Value]) -> Tensors:
        """Returns the tensors of one input of a product."""
        raw = _collect(self.inputs[name], name, [values])
        tensors: Tensors = {f"{name}_present": _present(self.inputs[name], raw)}
        for of, encoder in self._encoders:
            if of == name:
                tensors |= encoder.preprocess(raw)
        return tensors

    def collect(self, rows: Sequence[Mapping[str, bytes | float]]) -> dict[str, Values]:
        """Returns the raw values by input name; what a row lacks is absent.

        Raises:
            ValueError: for an input that the model does not have.
        """
        self._check_names(rows)
        return {name: _collect(kind, name, rows) for name, kind in self.inputs.items()}

    def _check_names(self, rows: Sequence[Mapping[str, Any]]) -> None:
        for index, row in enumerate(rows):
            if not row.keys() <= self.inputs.keys():
                raise ValueError(
                    f"Unknown input of row {index}. Expected some of {sorted(self.inputs)}. "
                    f"Received: {sorted(row)}."
                )

    def preprocess(self, rows: Sequence[Mapping[str, bytes | float]]) -> Tensors:
        """Turns what `read` has read, of several products, into the network's tensors.

        Args:
            rows: Of each product the raw values by input name: a picture
                file, a UTF-8 text or a category as bytes, or a number. `b""`,
                NaN, or no entry says that the product has none.

        Returns:
            Arrays by name with a leading batch axis; `<input>_present` says
            which rows have an input.

        Raises:
            ValueError: for an unknown input, or a picture that cannot be decoded.
        """
        raw = self.collect(rows)
        tensors: Tensors = {}
        for name, encoder in self._encoders:
            tensors |= encoder.preprocess(raw[name])
        for name, values in raw.items():
            tensors[f"{name}_present"] = _present(self.inputs[name], values)
        return tensors

    def shorten(self, tensors: Tensors) -> Tensors:
        """Cuts off what only makes texts equally long, of what `preprocess` returned."""
        short = dict(tensors)
        for _, encoder in self._encoders:
            short |= encoder.shorten(tensors)
        return short


def _collect(kind: str, name: str, rows: Sequence[Mapping[str, Any]]) -> Values:
    if kind == "number":
        # What float32 cannot hold is infinite, which is no warning here.
        with np.errstate(over="ignore"):
            return np.array([row.get(name, np.nan) for row in rows], np.float32)
    return [row.get(name, b"") for row in rows]


def _present(kind: str, values: Values) -> np.ndarray:
    if kind == "number":
        return ~np.isnan(np.asarray(values, np.float32))
    return np.array([bool(value) for value in values], np.bool_)

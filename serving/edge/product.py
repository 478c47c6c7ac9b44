"""Products as the tensors that the network reads."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from serving.edge.encoders.encoder import Tensors, Values
from serving.edge.registry import find_encoder


class ProductReader:
    """Runs the preprocessing of all branches of a model.

    Args:
        branches: The `branches` of `preprocessing.json`: each a `name`, an
            `input` (`name`, `kind`, `columns`), an `encoder`, its `options` and
            its `state`.
    """

    def __init__(self, branches: Sequence[Mapping[str, Any]]) -> None:
        self.inputs = {branch["input"]["name"]: branch["input"]["kind"] for branch in branches}
        self._encoders = [
            (
                branch["input"]["name"],
                find_encoder(branch["encoder"])(branch["name"], branch["options"], branch["state"]),
            )
            for branch in branches
        ]

    def collect(self, rows: Sequence[Mapping[str, bytes | float]]) -> dict[str, Values]:
        """Returns the raw values by input name; what a row lacks is absent.

        Raises:
            ValueError: for an input that the model does not have.
        """
        for index, row in enumerate(rows):
            if not row.keys() <= self.inputs.keys():
                raise ValueError(
                    f"Unknown input of row {index}. Expected some of {sorted(self.inputs)}. "
                    f"Received: {sorted(row)}."
                )
        return {name: _collect(kind, name, rows) for name, kind in self.inputs.items()}

    def preprocess(self, rows: Sequence[Mapping[str, bytes | float]]) -> Tensors:
        """Turns products into the network's tensors.

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

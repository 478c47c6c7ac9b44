"""One signature of a loaded model: what goes in, what comes out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from serving.server.status import invalid

Arrays = dict[str, np.ndarray]


@dataclass(frozen=True)
class TensorSpec:
    """An input or output.

    Args:
        name: str. Of the signature, not of the graph.
        dtype: NumPy's; `object` for strings, which are bytes.
        dtype_name: str. TensorFlow's, as its errors have it: `float`, `double`, `string`.
        shape: Sizes, None for any; None alone where even the rank is open.
    """

    name: str
    dtype: np.dtype
    dtype_name: str
    shape: tuple[int | None, ...] | None

    @property
    def batched(self) -> bool:
        """Says whether the first axis counts rows."""
        return bool(self.shape) and self.shape is not None and self.shape[0] is None

    def check(self, array: np.ndarray) -> None:
        """Refuses an array that does not fit.

        Raises:
            ServingError: invalid argument, in the words of TensorFlow's session.
        """
        shape = self.shape
        if shape is not None and (
            len(shape) != array.ndim
            or any(
                want is not None and want != have
                for want, have in zip(shape, array.shape, strict=True)
            )
        ):
            wanted = ",".join("?" if size is None else str(size) for size in shape)
            got = ",".join(map(str, array.shape))
            raise invalid(f"Input {self.name!r} must have the shape [{wanted}]. Received: [{got}].")


@dataclass(frozen=True)
class Signature:
    """A function of the model.

    Args:
        name: str.
        inputs: By name.
        outputs: By name.
        method: str. `method_name` of the SavedModel.
        call: From arrays by input name to arrays by output name.
    """

    name: str
    inputs: Mapping[str, TensorSpec]
    outputs: Mapping[str, TensorSpec]
    method: str
    call: Callable[[Arrays], Arrays] = field(repr=False, compare=False)

    @cached_property
    def batched(self) -> bool:
        """Says whether requests can be joined along the first axis."""
        specs: list[Any] = [*self.inputs.values(), *self.outputs.values()]
        return bool(self.inputs) and all(spec.batched for spec in specs)

    def count_rows(self, inputs: Arrays) -> int:
        """Returns the rows of a request.

        Raises:
            ServingError: if the inputs differ in theirs.
        """
        if not self.batched:
            return 1
        rows = {len(array) for array in inputs.values()}
        if len(rows) > 1:
            sizes = {name: len(array) for name, array in sorted(inputs.items())}
            raise invalid(
                "Batching session Run() input tensors must have equal 0th-dimension size. "
                f"Received: {sizes}."
            )
        return rows.pop()

    def check(self, inputs: Arrays) -> None:
        """Refuses inputs that are not those of the signature.

        Raises:
            ServingError: invalid argument, as TF Serving puts it.
        """
        if inputs.keys() != self.inputs.keys():
            extra, missing = inputs.keys() - self.inputs.keys(), self.inputs.keys() - inputs.keys()
            raise invalid(
                f"input size does not match signature: {len(inputs)}!={len(self.inputs)} "
                f"len({{{_join(inputs)}}}) != len({{{_join(self.inputs)}}}). "
                f"Sent extra: {{{_join(extra)}}}. Missing but required: {{{_join(missing)}}}."
            )
        for name, spec in self.inputs.items():
            spec.check(inputs[name])

    def choose_outputs(self, wanted: list[str]) -> list[str]:
        """Returns the outputs to answer with: the wanted ones, or all.

        Raises:
            ServingError: if one is unknown or named twice.
        """
        for at, name in enumerate(wanted):
            if name not in self.outputs:
                raise invalid(
                    f"output tensor alias not found in signature: {name} "
                    f"Outputs expected to be in the set {{{_join(self.outputs)}}}."
                )
            if name in wanted[:at]:
                raise invalid(f"duplicate output tensor alias: {name}")
        return wanted or list(self.outputs)


def _join(names: Any) -> str:
    return ",".join(sorted(names))

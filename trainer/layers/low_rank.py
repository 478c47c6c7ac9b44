"""Dense and pointwise layers whose kernel is changed by a product of two thin matrices."""

from __future__ import annotations

import functools
import math
import re
from typing import Any

import keras
from keras import ops


class LowRankKernel:
    """Part of a layer with kernel `W + scale * A diag(s) B`.

    Keras' own `enable_lora` keeps the shape of an attention's kernel
    `(hidden_dim, heads, head_dim)` and multiplies over its last axis: three
    times the weights of the paper at the same rank, and one space of
    directions for all heads. Here a kernel is the matrix `(inputs, outputs)`
    that it stands for.
    """

    scale: float = 1.0
    singular_values: keras.Variable | None = None

    @property
    def kernel(self) -> Any:
        return ops.add(super().kernel, self.kernel_change())  # type: ignore[misc]

    def kernel_change(self) -> Any:
        """Returns what is added to the kernel, in its shape."""
        left = ops.convert_to_tensor(self.left)
        if self.singular_values is not None:
            left = left * self.singular_values
        return ops.reshape(self.scale * ops.matmul(left, self.right), self._kernel.shape)

    def save_own_variables(self, store: Any) -> None:
        raise ValueError(
            f"{self.path} would be saved without what it has learned. Merge before saving."
        )


def find_kernels(model: keras.Model, pattern: str) -> list[keras.Layer]:
    """Finds dense and pointwise layers by name.

    Raises:
        ValueError: if there is none.
    """
    layers = model._flatten_layers()
    found = [of for of in layers if re.fullmatch(pattern, of.name) and _is_matrix(of)]
    if not found:
        names = sorted({layer.name for layer in layers if _is_matrix(layer)})
        raise ValueError(
            f"No dense or pointwise layer of {model.name!r} is called {pattern!r}. "
            f"Expected a regular expression for some of {names}."
        )
    return found


def add_low_rank(
    layer: keras.Layer,
    rank: int,
    *,
    scale: float = 1.0,
    left: Any,
    right: Any,
    singular_values: Any = None,
    regularizer: Any = None,
) -> None:
    """Gives a built layer a trainable change of its kernel, in place.

    Args:
        layer: Of `find_kernels`.
        rank: int. At most that of the kernel makes sense.
        scale: float. Factor of the change.
        left, right: Initializers of `A` `(inputs, rank)` and `B` `(rank, outputs)`.
        singular_values: Initializer of `s` `(rank,)`; ones for good by default.
        regularizer: Of `A` and of the transposed `B`.
    """
    shape = layer.kernel.shape
    inputs = math.prod(shape[: _count_input_axes(layer)])
    layer.__class__ = _low_rank_class(type(layer))
    layer.scale = scale
    layer._tracker.unlock()
    layer.left = layer.add_weight(
        name="left", shape=(inputs, rank), initializer=left, regularizer=regularizer
    )
    layer.right = layer.add_weight(
        name="right",
        shape=(rank, math.prod(shape) // inputs),
        initializer=right,
        regularizer=regularizer and (lambda right: regularizer(ops.transpose(right))),
    )
    if singular_values is not None:
        layer.singular_values = layer.add_weight(
            name="singular_values", shape=(rank,), initializer=singular_values
        )
    layer._tracker.lock()


def merge_low_rank(layer: keras.Layer) -> None:
    """Adds the change to the kernel and makes the layer what it was."""
    layer._kernel.assign(ops.add(layer._kernel, layer.kernel_change()))
    # Graphs that were traced before go on adding it.
    layer.right.assign(ops.zeros_like(layer.right))
    for name in {"left", "right", "singular_values"} & set(vars(layer)):
        layer._untrack_variable(getattr(layer, name))
        # Keras' own would collect all garbage each time.
        super(keras.Layer, layer).__delattr__(name)
    vars(layer).pop("scale", None)
    layer.__class__ = type(layer).__mro__[2]


@functools.cache
def _low_rank_class(cls: type[keras.Layer]) -> type[keras.Layer]:
    return type(f"LowRank{cls.__name__}", (LowRankKernel, cls), {})


def _is_matrix(layer: keras.Layer) -> bool:
    if isinstance(layer, keras.layers.Conv2D):
        return set(layer.kernel_size) == {1} and layer.groups == 1
    return isinstance(layer, keras.layers.Dense | keras.layers.EinsumDense)


def _count_input_axes(layer: keras.Layer) -> int:
    """Returns how many leading axes of the kernel the layer sums over."""
    if not isinstance(layer, keras.layers.EinsumDense):
        return len(layer.kernel.shape) - 1
    inputs, kernel, _ = re.split(",|->", layer.equation)
    return sum(axis in inputs for axis in kernel)

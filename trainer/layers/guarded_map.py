"""A map over rows that goes on where it fails, in graph operations."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import tensorflow as tf

# Nothing here has Python control flow to be converted, which takes seconds.
_as_it_is = tf.autograph.experimental.do_not_convert

Function = Callable[[tf.Tensor], tuple[tf.Tensor, ...]]


def map_guarded(
    function: Function, values: tf.Tensor, blank: tuple[tf.Tensor, ...]
) -> tuple[tf.Tensor, ...]:
    """Applies a function to each row; one that fails leaves the others as they are.

    An error ends a graph, but inside of a data set only the element that it is
    in. All rows together are an element first, because each element takes a
    quarter of a millisecond; each row is one by itself only where that failed.

    Args:
        function: From a scalar to tensors with known shapes.
        values: tensor `(batch,)`.
        blank: What stands for a row that failed, of those shapes.

    Returns:
        The function's tensors with a leading batch axis.
    """
    specs = tuple(tf.TensorSpec(of.shape, of.dtype) for of in blank)
    none = tuple(tf.zeros((0, *spec.shape), spec.dtype) for spec in specs)

    @_as_it_is
    def map_all(rows: tf.Tensor) -> Any:
        return True, tf.map_fn(function, rows, fn_output_signature=specs)

    together = tf.data.Dataset.from_tensors(values).map(map_all)
    together = together.ignore_errors().concatenate(tf.data.Dataset.from_tensors((False, none)))
    succeeded, found = _run(together.take(1))
    found = tf.cond(succeeded, lambda: found, lambda: _map_one_by_one(function, values, blank))
    return tuple(
        tf.ensure_shape(of, (None, *spec.shape)) for of, spec in zip(found, specs, strict=True)
    )


def _map_one_by_one(
    function: Function, values: tf.Tensor, blank: tuple[tf.Tensor, ...]
) -> tuple[tf.Tensor, ...]:
    batch = tf.shape(values)[0]
    rows = tf.data.Dataset.from_tensor_slices((tf.range(batch), values))
    rows = rows.map(_as_it_is(lambda row, value: (row, function(value)))).ignore_errors()
    # One more that cannot fail: a data set of nothing could not be batched.
    rows = rows.concatenate(tf.data.Dataset.from_tensors((batch, blank)))
    places, found = _run(rows.batch(tf.cast(batch + 1, tf.int64)))
    # The last is never looked up but by rows that are missing.
    row_of = tf.fill([batch + 1], tf.size(places) - 1)
    row_of = tf.tensor_scatter_nd_update(row_of, places[:, None], tf.range(tf.size(places)))
    return tuple(tf.gather(of, row_of[:batch]) for of in found)


def _run(data: tf.data.Dataset) -> Any:
    """Returns the only element of a data set, without looking for a faster plan for it."""
    options = tf.data.Options()
    options.autotune.enabled = False
    options.experimental_optimization.apply_default_optimizations = False
    return data.with_options(options).get_single_element()

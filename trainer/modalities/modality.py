"""What every modality answers: how a cell becomes a raw value, and when it is absent."""

from __future__ import annotations

import abc
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

if TYPE_CHECKING:
    import tensorflow as tf

    from trainer.inputs import Limits


class Modality(abc.ABC):
    """A kind of evidence about a product.

    Members are stateless and import TensorFlow only inside `check` and `present`,
    so that tables can be read without it.
    """

    kind: ClassVar[str]
    dtype: ClassVar[str]
    """Type of a raw value in the signature: `"string"` or `"float32"`."""
    absent: ClassVar[bytes | float]
    """The raw value that says "this product has none": `b""` or NaN."""
    reads_names: ClassVar[bool] = False
    """Whether the name of a class, read as a cell, says something about its products."""
    leads: ClassVar[bool] = True
    """Whether it can tell what a product is by itself, rather than help others to."""

    @abc.abstractmethod
    def read(self, cells: Sequence[object], folder: Path) -> tuple[bytes | float, str]:
        """Turns the cells of one row into the raw value of the signature.

        Args:
            cells: The row's cells in the columns of this input.
            folder: Folder of the table, from which paths are relative.

        Returns:
            `(value, problem)`: a value of `dtype`, or `absent`; and `""`, or
            one short clause that says what was wrong with the cells, such as
            `"image: file not found: images/7.jpg"`. An empty cell is absent
            without being a problem. Never raises for bad data.
        """

    def unpack(self, value: bytes | float) -> Any:
        """Returns the form in which augmentations change a value that is not absent."""
        return value

    def pack(self, value: Any) -> bytes | float:
        """Returns the raw value of what `unpack` gives, changed or not."""
        return value

    def check(self, values: tf.Tensor, limits: Limits) -> tuple[tf.Tensor, tf.Tensor]:
        """Makes of whatever a client sent what `read` could have given, in graph operations.

        Args:
            values: tensor `(batch,)` of `dtype`.
            limits: How much of a value is read.

        Returns:
            `(values, problems)`: values that can be preprocessed, `absent` or
            cut where they could not; string `(batch,)`, `""` or what was wrong.
        """
        import tensorflow as tf

        del limits
        return values, tf.fill(tf.shape(values), "")

    def present(self, values: tf.Tensor) -> tf.Tensor:
        """Says which rows have this modality.

        Args:
            values: tensor `(batch,)` of `dtype`.

        Returns:
            Bool tensor `(batch,)`.
        """
        import tensorflow as tf

        if self.dtype == "string":
            return tf.not_equal(values, "")
        return tf.logical_not(tf.math.is_nan(values))

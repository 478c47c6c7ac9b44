"""What every quantizer answers: how a network becomes numbers of few bits."""

from __future__ import annotations

import abc
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, ClassVar

if TYPE_CHECKING:
    import keras
    import tensorflow as tf


class Quantizer(abc.ABC):
    """A way of making a network small and fast on a device.

    A member is registered with `@QUANTIZERS.register(name)`. Its constructor
    takes keyword options with defaults.
    """

    calibrates: ClassVar[bool] = False
    """Whether it looks at products to find the ranges of values."""
    epochs: int = 0
    """How often the prepared network learns from products, see `train_quantized`."""
    learning_rate: float = 0.0
    batch_size: int = 0

    def prepare(  # noqa: B027 - some change no network
        self, network: keras.Model, batches: Iterable[Mapping[str, Any]]
    ) -> None:
        """Changes a network in place.

        Args:
            network: From tensors by name.
            batches: Some of its inputs; empty where it does not calibrate.
        """

    @abc.abstractmethod
    def configure(self, converter: tf.lite.TFLiteConverter) -> None:
        """Tells the converter what to do with the graph of the network."""

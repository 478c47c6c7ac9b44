"""What every encoder answers: raw values -> tensors -> one embedding a row."""

from __future__ import annotations

import abc
from typing import TYPE_CHECKING, Any, ClassVar

if TYPE_CHECKING:
    import keras
    import numpy as np
    import tensorflow as tf

TRAINABLE = ("frozen", "full")


class Encoder(abc.ABC):
    """Turns the raw values of one modality into embeddings.

    An encoder has two halves. `preprocess` is made of TensorFlow operations
    and runs in tf.data and inside the exported graph alike, so that training
    and serving cannot differ. `build` returns the Keras half, which is trained.

    A member is registered with `@ENCODERS.register(name)`. Its constructor
    takes `name` and keyword options with defaults; those are the options of
    the configuration, `model.encoders.<modality>.<encoder>.<option>`.

    Args:
        name: str. Unique in a model; prefix of layer and tensor names.
        trainable: `"frozen"` keeps the encoder as it was loaded, so that its
            embeddings can be computed once; `"full"` trains all of it.
    """

    modality: ClassVar[str]
    """The kind of modality that it reads."""
    pretrained: ClassVar[bool] = True
    """Whether its embedding is worth something before it was trained here: then
    the first stage takes it as it is and computes it once for each product."""
    adapts: ClassVar[bool] = False
    """Whether `adapt` learns anything, so that other rows give other embeddings."""

    def __init__(self, name: str, trainable: str = "frozen") -> None:
        if trainable not in TRAINABLE:
            raise ValueError(
                f"`trainable` must be one of {list(TRAINABLE)}. Received: trainable={trainable!r}."
            )
        self.name = name
        self.trainable = trainable

    def adapt(self, values: np.ndarray) -> None:  # noqa: B027 - most learn nothing
        """Learns what preprocessing needs (vocabulary, mean) from training rows only.

        Args:
            values: `(rows,)` array of raw values, `bytes` objects or float32;
                absent ones are included.
        """

    def get_state(self) -> dict[str, Any]:
        """Returns what `adapt` learned as something JSON can hold."""
        return {}

    def set_state(self, state: dict[str, Any]) -> None:  # noqa: B027 - most learn nothing
        """Restores what `get_state` returned."""

    @abc.abstractmethod
    def input_specs(self) -> dict[str, tf.TensorSpec]:
        """Returns the tensors that `preprocess` makes, shapes without the batch."""

    @abc.abstractmethod
    def preprocess(self, values: tf.Tensor) -> dict[str, tf.Tensor]:
        """Turns raw values into tensors for the Keras half, in graph operations.

        Args:
            values: tensor `(batch,)` of the modality's dtype. Absent values
                give any valid tensors; the fusion is told which are absent.

        Returns:
            Tensors by name as `input_specs` says, with a leading batch axis.
        """

    def get_resources(self) -> list[Any]:
        """Returns lookup tables and the like that an exported graph must carry along."""
        return []

    @abc.abstractmethod
    def build(self) -> keras.Model:
        """Builds the Keras half.

        Returns:
            A functional model called `self.name` from a dict of the tensors of
            `input_specs` to an embedding `(batch, dim)`. Embeddings of
            pretrained encoders have about length 1.
        """

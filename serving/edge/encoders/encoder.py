"""What every encoder of the device answers: raw values -> what its network reads."""

from __future__ import annotations

import abc
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

Values = Sequence[bytes] | npt.NDArray[np.float32]
Tensors = dict[str, npt.NDArray[Any]]


class Encoder(abc.ABC):
    """Makes of raw values what the encoder of the same name makes in TensorFlow.

    Args:
        name: str. Unique in a model; prefix of tensor names.
        options: What was configured; what is not in it has its default.
        state: What the encoder had learned.
    """

    kind: ClassVar[str]
    """The modality that it reads."""
    defaults: ClassVar[Mapping[str, Any]] = {}
    """The options that change preprocessing, with the trainer's defaults."""

    def __init__(self, name: str, options: Mapping[str, Any], state: Mapping[str, Any]) -> None:
        self.name = name
        self.options = {key: options.get(key, value) for key, value in self.defaults.items()}
        self.state = state

    @abc.abstractmethod
    def preprocess(self, values: Values) -> Tensors:
        """Turns raw values into the network's tensors.

        Args:
            values: `bytes` objects, `b""` where there is none; of numbers a
                float32 array `(batch,)`, NaN where there is none.

        Returns:
            Arrays by name, each with a leading batch axis.

        Raises:
            ValueError: for a picture that cannot be decoded.
        """

    def shorten(self, tensors: Tensors) -> Tensors:
        """Cuts off what is only there to make texts equally long.

        Args:
            tensors: Some with those that `preprocess` returned among them.

        Returns:
            Its own, as short as they can be; the network answers them the same.
        """
        del tensors
        return {}

"""What every tuning method answers: which weights of an encoder train, and how."""

from __future__ import annotations

import abc
import math
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, ClassVar

if TYPE_CHECKING:
    import keras


class Tuning(abc.ABC):
    """A way of training an encoder, whole or by a few weights of it.

    A member is registered with `@TUNING.register(name)`. Its constructor takes
    keyword options with defaults; those are the keys of `tuning_options`.

    Built layers are changed in place: blocks hold their attention and graphs
    hold their blocks, and all go on holding the same objects.

    Args:
        learning_rate: float. Peak of the encoder in the second stage.
    """

    part: ClassVar[str]
    """Kind of `Encoder.parts` that it changes."""
    trains: ClassVar[bool] = True
    """Whether the encoder learns at all."""

    def __init__(self, learning_rate: float) -> None:
        if not 0 < learning_rate < math.inf:
            raise ValueError(
                f"`learning_rate` must be a number above 0. Received: {learning_rate}."
            )
        self.learning_rate = learning_rate

    @property
    def options(self) -> dict[str, Any]:
        """Its arguments that decide which weights there are and what they do."""
        return {
            name: value
            for name, value in vars(self).items()
            if name != "learning_rate" and not name.startswith("_")
        }

    @abc.abstractmethod
    def apply(self, model: keras.Model, pattern: str) -> None:
        """Makes a built encoder trainable in this way and in no other.

        Args:
            model: The Keras half of an encoder.
            pattern: Regular expression of the names of layers that are of
                kind `part`.
        """

    def start(  # noqa: B027 - most remember nothing
        self, add_variable: Callable[..., keras.Variable]
    ) -> None:
        """Makes what it must remember from step to step.

        Args:
            add_variable: Of the optimizer, whose variables are in checkpoints.
        """

    def after_step(  # noqa: B027 - most leave all to the optimizer
        self, gradients: Mapping[int, Any], step: Any, num_steps: int
    ) -> None:
        """Does what follows a step of the optimizer, in graph operations.

        Args:
            gradients: Of the loss, by `id` of the Keras variable.
            step: int tensor. How many steps are done.
            num_steps: int. How many there will be.
        """

    def merge(self, model: keras.Model) -> None:  # noqa: B027 - most change no layer
        """Gives back the layers that `model` had where that leaves its outputs the same."""


def train_only(model: keras.Model, variables: Iterable[keras.Variable]) -> None:
    """Freezes all of a model but some variables."""
    chosen = {id(variable) for variable in variables}
    model.trainable = True
    for variable in model.trainable_variables:
        variable.trainable = id(variable) in chosen


def at_least_one(**options: int) -> None:
    """Refuses options that are not counts."""
    for name, value in options.items():
        if value < 1:
            raise ValueError(f"`{name}` must be at least 1. Received: {name}={value}.")

"""What every augmentation answers: a value and chance -> a value of a product of the same class."""

from __future__ import annotations

import abc
from typing import Any, ClassVar

import numpy as np


class Augmentation(abc.ABC):
    """Changes one value of a product in a way that leaves its class what it was.

    A member is registered with `@AUGMENTATIONS.register(name)`. Its constructor
    takes keyword options with defaults; those are the options of the
    configuration, `augment.operations.<modality>.<name>.<option>`.
    """

    modality: ClassVar[str]
    """The kind of modality that it changes."""

    @abc.abstractmethod
    def __call__(self, value: Any, rng: np.random.Generator) -> Any:
        """Returns a changed value.

        Args:
            value: As `Modality.unpack` gives it; never an absent one.
            rng: The only source of chance.
        """

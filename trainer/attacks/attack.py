"""What every attack answers: pictures -> pictures that look alike and are answered wrongly."""

from __future__ import annotations

import abc
import math
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from trainer.attacks.victim import Pictures, Victim
from trainer.options import check_number

RANGE = 255.0


@dataclass(kw_only=True)
class Attack(abc.ABC):
    """Changes pictures until a network is wrong, no pixel by more than `eps`.

    A member is a dataclass that is registered with `@ATTACKS.register(name)`.

    Args:
        eps: float. How far a pixel may go; 1 is from black to white.
        seed: int. Of what is drawn.
    """

    white_box: ClassVar[bool] = True
    """Whether it asks for gradients."""

    eps: float = 4 / 255
    seed: int = 0

    def __post_init__(self) -> None:
        check_number("eps", self.eps, 0, 1)
        for name in ("steps", "restarts"):
            if (value := getattr(self, name, 1)) < 1 or value != math.floor(value):
                raise ValueError(
                    f"`{name}` must be a whole number above 0. Received: {name}={value}."
                )

    def __call__(self, victim: Victim, pictures: Pictures) -> np.ndarray:
        """Returns pixels, float32 `(rows, height, width, channels)`.

        A picture that was not fooled is as it was, and so is one that is
        answered wrongly by itself. Fooled ones are left alone from there on:
        later starts search for the others.
        """
        found = pictures.pixels.copy()
        standing = np.flatnonzero(~victim.fooled(pictures))
        rng = np.random.default_rng(self.seed)
        for start in range(self.num_starts(victim, pictures)):
            if not len(standing):
                break
            reached = self.search(victim, pictures.take(standing), start, rng)
            fooled = victim.fooled(pictures.take(standing).changed(reached))
            found[standing[fooled]] = reached[fooled]
            standing = standing[~fooled]
        return found

    def num_starts(self, victim: Victim, pictures: Pictures) -> int:
        """Returns how often the search begins anew for what still stands."""
        del victim, pictures
        return int(getattr(self, "restarts", 1))

    @abc.abstractmethod
    def search(
        self, victim: Victim, pictures: Pictures, start: int, rng: np.random.Generator
    ) -> np.ndarray:
        """Searches once.

        Args:
            victim: The network.
            pictures: Answered rightly so far; not to be changed in place.
            start: int. Which search it is, from 0.
            rng: The only source of chance.

        Returns:
            The most fooling pixels that were found of each, inside of the bounds.
        """

    def draw(self, pictures: Pictures, rng: np.random.Generator) -> np.ndarray:
        """Draws pixels evenly from all that are allowed but for the valid range."""
        reach = np.float32(self.eps * RANGE)
        drawn = rng.uniform(-reach, reach, pictures.pixels.shape).astype(np.float32)
        return self.clip(pictures, pictures.pixels + drawn)

    def clip(self, pictures: Pictures, pixels: np.ndarray) -> np.ndarray:
        """Returns the allowed pixels that are nearest to given ones."""
        reach = np.float32(self.eps * RANGE)
        near = np.clip(pixels, pictures.pixels - reach, pictures.pixels + reach)
        return np.clip(near, 0, np.float32(RANGE))

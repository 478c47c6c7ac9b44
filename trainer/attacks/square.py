"""Squares at random, kept where they help: an attack that sees answers only."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from trainer.attacks.attack import RANGE, Attack
from trainer.attacks.victim import Pictures, Victim
from trainer.registry import ATTACKS

# After so many queries of 10,000 the squares halve.
_HALVINGS = (10, 50, 200, 500, 1000, 2000, 4000, 6000, 8000)


@ATTACKS.register("square")
@dataclass(kw_only=True)
class Square(Attack):
    """Paints squares of one colour, `eps` away from the picture, where they lower the margin.

    Begins with stripes from top to bottom. Asks for no gradient, so a network
    that hides its own is as open to it as any.

    Args:
        steps: int. Queries a picture.
        share: float. Of the picture, the first squares.
        restarts: int.

    Reference:
        Andriushchenko et al., 2020, arXiv:1912.00049, for the infinity norm.
    """

    white_box: ClassVar[bool] = False

    steps: int = 200
    share: float = 0.8
    restarts: int = 1

    def search(
        self, victim: Victim, pictures: Pictures, start: int, rng: np.random.Generator
    ) -> np.ndarray:
        reach = np.float32(self.eps * RANGE)
        height, width, channels = pictures.pixels.shape[1:]
        stripes = rng.choice([-reach, reach], (len(pictures), 1, width, channels))
        found = self.clip(pictures, pictures.pixels + stripes.astype(np.float32))
        margins = _margins(victim, pictures.changed(found))
        for query in range(self.steps):
            rows = np.flatnonzero(margins > 0)
            if not len(rows):
                break
            side = self._side(query, height, width)
            tried = found[rows]
            for at, row in enumerate(rows):
                top = rng.integers(height - side + 1)
                left = rng.integers(width - side + 1)
                colour = rng.choice([-reach, reach], channels).astype(np.float32)
                window = np.s_[top : top + side, left : left + side]
                tried[at][window] = np.clip(
                    pictures.pixels[row][window] + colour, 0, np.float32(RANGE)
                )
            reached = _margins(victim, pictures.take(rows).changed(tried))
            better = reached < margins[rows]
            found[rows[better]], margins[rows[better]] = tried[better], reached[better]
        return found

    def _side(self, query: int, height: int, width: int) -> int:
        """Returns the length of the sides of a square in pixels."""
        halvings = sum(10_000 * query >= self.steps * bound for bound in _HALVINGS)
        side = round(np.sqrt(self.share / 2**halvings * height * width))
        return min(max(side, 1), height - 1 or 1, width - 1 or 1)


def _margins(victim: Victim, pictures: Pictures) -> np.ndarray:
    """Returns by how much the true class is ahead of the best other one; below 0 where fooled."""
    logits = victim.logits(pictures).copy()
    rows = np.arange(len(logits))
    own = logits[rows, pictures.class_ids]
    logits[rows, pictures.class_ids] = -np.inf
    return own - logits.max(axis=1)

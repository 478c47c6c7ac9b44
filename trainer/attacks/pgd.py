"""Many small steps along the signs of the gradient."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from trainer.attacks.attack import RANGE, Attack
from trainer.attacks.costs import cross_entropy, margin
from trainer.attacks.victim import Cost, Pictures, Victim
from trainer.registry import ATTACKS


@ATTACKS.register("pgd")
@dataclass(kw_only=True)
class PGD(Attack):
    """Climbs the loss in equal steps, from points drawn inside of the bounds.

    A picture that is fooled rests.

    Args:
        steps: int.
        step_size: float. Of a step, as a share of `eps`.
        restarts: int. Searches for what still stands.

    Reference:
        Madry et al., 2018, arXiv:1706.06083.
    """

    cost: ClassVar[Cost] = staticmethod(cross_entropy)

    steps: int = 20
    step_size: float = 0.25
    restarts: int = 2

    def search(
        self, victim: Victim, pictures: Pictures, start: int, rng: np.random.Generator
    ) -> np.ndarray:
        pixels = self.draw(pictures, rng)
        step = np.float32(self.eps * RANGE * self.step_size)
        standing = np.arange(len(pictures))
        for _ in range(self.steps):
            own = pictures.take(standing)
            _, gradients, logits = victim.climb(self.cost, own.changed(pixels[standing]))
            # Of the pixels before this step: what was fooled by then stays as it is.
            stands = logits.argmax(axis=1) == own.class_ids
            standing, own = standing[stands], own.take(stands)
            moved = pixels[standing] + step * np.sign(gradients[stands])
            pixels[standing] = self.clip(own, moved)
            if not len(standing):
                break
        return pixels


@ATTACKS.register("pgd_margin")
@dataclass(kw_only=True)
class MarginPGD(PGD):
    """The same on the margin of the logits, which has a slope where a sure network hides the loss.

    Reference:
        Madry et al., 2018, arXiv:1706.06083, with the cost of Carlini and
        Wagner, 2017, arXiv:1608.04644.
    """

    cost: ClassVar[Cost] = staticmethod(margin)

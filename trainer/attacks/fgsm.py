"""One step along the signs of the gradient."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from trainer.attacks.attack import RANGE, Attack
from trainer.attacks.costs import cross_entropy
from trainer.attacks.victim import Pictures, Victim
from trainer.registry import ATTACKS


@ATTACKS.register("fgsm")
@dataclass(kw_only=True)
class FGSM(Attack):
    """Moves every pixel by `eps` in the direction in which the loss rises.

    Reference:
        Goodfellow et al., 2015, arXiv:1412.6572.
    """

    def search(
        self, victim: Victim, pictures: Pictures, start: int, rng: np.random.Generator
    ) -> np.ndarray:
        _, gradients, _ = victim.climb(cross_entropy, pictures)
        step = np.float32(self.eps * RANGE) * np.sign(gradients)
        return self.clip(pictures, pictures.pixels + step)

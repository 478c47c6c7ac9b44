"""Steps that find their own size: the parameter-free attacks of AutoAttack."""

from __future__ import annotations

import math
from dataclasses import dataclass, fields
from typing import ClassVar

import numpy as np

from trainer.attacks.attack import RANGE, Attack
from trainer.attacks.costs import aimed_ratio, cross_entropy
from trainer.attacks.victim import Cost, Pictures, Victim
from trainer.registry import ATTACKS

_MOMENTUM = np.float32(0.25)
_ENOUGH_RISES = 0.75


@ATTACKS.register("apgd_ce")
@dataclass(kw_only=True)
class APGD(Attack):
    """Climbs the loss with momentum, in steps that halve where they stop paying.

    Starts with steps of twice `eps`. A picture that is fooled rests.

    Args:
        steps: int.
        restarts: int. Searches for what still stands.

    Reference:
        Croce and Hein, 2020, arXiv:2003.01690.
    """

    cost: ClassVar[Cost] = staticmethod(cross_entropy)

    steps: int = 50
    restarts: int = 1

    def search(
        self, victim: Victim, pictures: Pictures, start: int, rng: np.random.Generator
    ) -> np.ndarray:
        found = self.draw(pictures, rng)
        aims = self.aim(victim.logits(pictures), pictures.class_ids, start)
        costs, gradients, logits = victim.climb(self.cost, pictures.changed(found), aims)
        step = np.full(len(pictures), self.eps * 2 * RANGE, np.float32)
        walk = _Walk.begin(found, costs, gradients, step)
        rows = np.arange(len(pictures))
        last_checkpoint = 0
        for taken in range(self.steps + 1):
            stands = logits.argmax(axis=1) == pictures.class_ids[rows]
            found[rows[~stands]] = walk.pixels[~stands]
            rows, walk = rows[stands], walk.take(stands)
            if taken == self.steps or not len(rows):
                break
            if taken in self.checkpoints:
                walk.shorten(taken - last_checkpoint)
                last_checkpoint = taken
            own = pictures.take(rows)
            self._move(walk, own, is_first=taken == 0)
            costs, gradients, logits = victim.climb(self.cost, own.changed(walk.pixels), aims[rows])
            walk.arrive(costs, gradients)
        found[rows] = walk.best
        return found

    def aim(self, logits: np.ndarray, class_ids: np.ndarray, start: int) -> np.ndarray:
        """Returns the class that each row is to be led to in a search."""
        del logits, start
        return class_ids

    @property
    def checkpoints(self) -> frozenset[int]:
        """After how many steps it is asked whether they pay."""
        shares = [0.0, 0.22]
        while shares[-1] < 1:
            shares.append(shares[-1] + max(shares[-1] - shares[-2] - 0.03, 0.06))
        return frozenset(math.ceil(share * self.steps) for share in shares[1:])

    def _move(self, walk: _Walk, pictures: Pictures, is_first: bool) -> None:
        step = walk.step[:, None, None, None]
        ahead = self.clip(pictures, walk.pixels + step * np.sign(walk.gradients))
        if not is_first:
            mixed = (1 - _MOMENTUM) * (ahead - walk.pixels) + _MOMENTUM * (
                walk.pixels - walk.previous
            )
            ahead = self.clip(pictures, walk.pixels + mixed)
        walk.previous, walk.pixels = walk.pixels, ahead


@ATTACKS.register("apgd_targeted")
@dataclass(kw_only=True)
class TargetedAPGD(APGD):
    """The same towards each of the classes that come next, one after the other.

    Args:
        restarts: int. How many classes.
    """

    cost: ClassVar[Cost] = staticmethod(aimed_ratio)

    restarts: int = 9

    def num_starts(self, victim: Victim, pictures: Pictures) -> int:
        num_classes = victim.logits(pictures.take(np.arange(1))).shape[1]
        return min(self.restarts, num_classes - 1)

    def aim(self, logits: np.ndarray, class_ids: np.ndarray, start: int) -> np.ndarray:
        others = logits.copy()
        others[np.arange(len(others)), class_ids] = -np.inf
        return np.argsort(-others, axis=1)[:, start]


@dataclass
class _Walk:
    """Where the search is for each of its rows."""

    pixels: np.ndarray
    previous: np.ndarray
    gradients: np.ndarray
    costs: np.ndarray
    best: np.ndarray
    best_costs: np.ndarray
    best_gradients: np.ndarray
    step: np.ndarray
    rises: np.ndarray
    was_shortened: np.ndarray
    best_costs_before: np.ndarray

    @classmethod
    def begin(
        cls, pixels: np.ndarray, costs: np.ndarray, gradients: np.ndarray, step: np.ndarray
    ) -> _Walk:
        return cls(
            pixels=pixels.copy(),
            previous=pixels.copy(),
            gradients=gradients.copy(),
            costs=costs.copy(),
            best=pixels.copy(),
            best_costs=costs.copy(),
            best_gradients=gradients.copy(),
            step=step,
            rises=np.zeros(len(pixels), int),
            was_shortened=np.ones(len(pixels), bool),
            best_costs_before=costs.copy(),
        )

    def take(self, rows: np.ndarray) -> _Walk:
        """Returns the walk of some rows."""
        return _Walk(**{of.name: getattr(self, of.name)[rows] for of in fields(self)})

    def arrive(self, costs: np.ndarray, gradients: np.ndarray) -> None:
        """Notes what a step has led to."""
        self.rises += costs > self.costs
        self.costs, self.gradients = costs.copy(), gradients.copy()
        better = costs > self.best_costs
        self.best[better] = self.pixels[better]
        self.best_costs[better] = costs[better]
        self.best_gradients[better] = gradients[better]

    def shorten(self, num_steps: int) -> None:
        """Halves steps that did not pay since the last checkpoint, and goes back to the best."""
        stuck = ~self.was_shortened & (self.best_costs <= self.best_costs_before)
        rows = (self.rises < _ENOUGH_RISES * num_steps) | stuck
        self.step[rows] /= 2
        self.pixels[rows] = self.best[rows]
        self.costs[rows] = self.best_costs[rows]
        self.gradients[rows] = self.best_gradients[rows]
        self.rises[:] = 0
        self.was_shortened = rows
        self.best_costs_before = self.best_costs.copy()

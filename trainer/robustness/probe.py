"""One way to change products, and what a network answers then."""

from __future__ import annotations

import abc
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from PIL import Image

from trainer.data.pictures import open_picture, write_picture
from trainer.registry import ATTACKS
from trainer.robustness.subject import RawRow, Subject

_AT_ONCE = 16


@dataclass(frozen=True, eq=False)
class Bench:
    """The products that all probes change.

    Args:
        subject: The network.
        rows: Products.
        class_ids: `(rows,)`, the true ones.
        seed: int. Of what is drawn.
    """

    subject: Subject
    rows: Sequence[RawRow]
    class_ids: np.ndarray
    seed: int = 0


@dataclass(frozen=True)
class Outcome:
    """What came of a probe.

    Args:
        answers: Answered class ids `(rows,)`.
        changed: Row to the changed product; not all of them.
    """

    answers: np.ndarray
    changed: Mapping[int, RawRow] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Probe(abc.ABC):
    """A change of products.

    Args:
        group: str. Heading of the report under which it stands.
        name: str. What is done.
        strength: float. How much of it; 0 where there is no such thing.
        shown: str. The strength as people read it.
    """

    group: str
    name: str
    strength: float = 0.0
    shown: str = ""

    @property
    def key(self) -> str:
        """Names it among all others."""
        return f"{self.group}: {self.name}" + (f", {self.shown}" if self.shown else "")

    @abc.abstractmethod
    def run(self, bench: Bench, done: Callable[[int], Any]) -> Outcome:
        """Changes all products and asks.

        Args:
            bench: The products.
            done: Called with the number of products that are finished.
        """


@dataclass(frozen=True, kw_only=True)
class Change(Probe):
    """Changes raw values, product by product.

    Args:
        change: From the bench, the position of a product and chance to the
            changed product.
    """

    change: Callable[[Bench, int, np.random.Generator], RawRow]

    def run(self, bench: Bench, done: Callable[[int], Any]) -> Outcome:
        changed = [
            self.change(bench, row, np.random.default_rng([bench.seed, row, _digest(self.key)]))
            for row in range(len(bench.rows))
        ]
        answers = bench.subject.answer(changed).argmax(axis=1)
        done(len(changed))
        return Outcome(answers, dict(enumerate(changed)))


@dataclass(frozen=True, kw_only=True)
class PictureAttack(Probe):
    """Changes the pixels that the network reads, a little, in the worst way that is found.

    Args:
        attack: str. A registered attack.
        options: Its arguments.
        alone: bool. Shows nothing but the picture.
        transferred: bool. Searches where nothing but the picture is shown, and
            shows the whole product with what was found.
    """

    attack: str
    options: Mapping[str, Any] = field(default_factory=dict)
    alone: bool = False
    transferred: bool = False

    def run(self, bench: Bench, done: Callable[[int], Any]) -> Outcome:
        subject = bench.subject
        attack = ATTACKS.make(self.attack, {"seed": bench.seed, **self.options})
        own = subject.picture_branch.input.name
        others = [spec.name for spec in subject.card.inputs if spec.name != own]
        answers, changed = [], {}
        for start in range(0, len(bench.rows), _AT_ONCE):
            rows = bench.rows[start : start + _AT_ONCE]
            class_ids = bench.class_ids[start : start + _AT_ONCE]
            aimed_at = others if self.alone or self.transferred else ()
            pictures = subject.pictures(rows, class_ids, aimed_at)
            found = attack(subject.victim, pictures)
            if self.transferred:
                pictures = subject.pictures(rows, class_ids)
            answers.append(subject.victim.logits(pictures.changed(found)).argmax(axis=1))
            for at in np.flatnonzero(np.any(found != pictures.pixels, axis=(1, 2, 3))):
                changed[start + int(at)] = {**rows[at], own: draw_pixels(found[at], rows[at][own])}
            done(len(rows))
        return Outcome(np.concatenate(answers), changed)


def draw_pixels(pixels: np.ndarray, original: bytes) -> bytes:
    """Returns pixels that a network reads, as people are shown them.

    Args:
        pixels: `(size, size, 3)`, 0 to 255.
        original: The picture that they were made of, whose proportions are given back up to 4 to 1.
    """
    shown = Image.fromarray(np.clip(pixels + 0.5, 0, 255).astype(np.uint8))
    if original:
        width, height = open_picture(original).size
        stretch = np.clip(np.sqrt(width / height), 0.5, 2)
        sides = round(len(pixels) * stretch), round(len(pixels) / stretch)
        shown = shown.resize(sides, Image.Resampling.NEAREST)
    return write_picture(shown)


def _digest(text: str) -> int:
    return zlib.crc32(text.encode())

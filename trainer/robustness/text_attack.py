"""Looks for the few words to write another way that turn an answer."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from trainer.data.words import put_words, take_words
from trainer.registry import ATTACKS, EDITS
from trainer.robustness.probe import Bench, Outcome, Probe, draw_pixels
from trainer.robustness.subject import RawRow, Subject
from trainer.robustness.substitutes import build_substitutes

_MOST_WORDS = 200
_NUM_OF_EACH = 4


@dataclass(frozen=True, kw_only=True)
class TextAttack(Probe):
    """Writes words another way until the answer is wrong, the most telling words first.

    A word counts by how far the answer moves without it, of the first 200.
    Each is left out, edited in every way that the edits know, or exchanged for
    one that the encoder takes for like it; what moves the answer most stays.

    Args:
        share: float. Of the words that may be changed, at least one.
        alone: bool. Shows nothing but the text.
        picture_attack: str. A registered attack that goes on where words have
            not sufficed; none by default.
        options: Its arguments.

    Reference:
        Jin et al., 2020, "TextFooler", arXiv:1907.11932, with edits of
        characters (Li et al., 2019, "TextBugger", arXiv:1812.05271) beside the
        words, and without its check of sentence likeness: the share bounds it.
    """

    share: float = 0.15
    alone: bool = False
    picture_attack: str = ""
    options: Mapping[str, Any] = field(default_factory=dict)

    def run(self, bench: Bench, done: Callable[[int], Any]) -> Outcome:
        search = _Search(bench.subject, self.share, self.alone)
        changed: dict[int, RawRow] = {}
        for row, product in enumerate(bench.rows):
            changed[row] = search.run(product, int(bench.class_ids[row]))
            done(0 if self.picture_attack else 1)
        rows = [changed[row] for row in range(len(bench.rows))]
        shown = [bench.subject.hide(of, search.hidden) for of in rows]
        answers = bench.subject.answer(shown).argmax(axis=1)
        if self.picture_attack:
            answers = self._attack_pictures(bench, rows, changed, answers, done)
        return Outcome(answers, changed)

    def _attack_pictures(
        self,
        bench: Bench,
        rows: list[RawRow],
        changed: dict[int, RawRow],
        answers: np.ndarray,
        done: Callable[[int], Any],
    ) -> np.ndarray:
        subject = bench.subject
        attack = ATTACKS.make(self.picture_attack, {"seed": bench.seed, **self.options})
        own = subject.picture_branch.input.name
        answers = answers.copy()
        for row in range(len(rows)):
            if answers[row] == bench.class_ids[row]:
                pictures = subject.pictures([rows[row]], bench.class_ids[row : row + 1])
                found = attack(subject.victim, pictures)
                reached = subject.victim.logits(pictures.changed(found))
                answers[row] = reached[0].argmax()
                changed[row] = {**rows[row], own: draw_pixels(found[0], rows[row][own])}
            done(1)
        return answers


class _Search:
    """Changes the words of one product at a time."""

    def __init__(self, subject: Subject, share: float, alone: bool) -> None:
        self.subject = subject
        self.share = share
        inputs = subject.card.inputs
        self.texts = [spec.name for spec in inputs if spec.kind == "text"]
        self.hidden = [spec.name for spec in inputs if spec.kind != "text"] if alone else []
        self.edits = [EDITS.get(name)() for name in EDITS.names()]
        self.substitutes = build_substitutes(subject)

    def run(self, product: RawRow, class_id: int) -> RawRow:
        """Returns the product with other words."""
        product = dict(product)
        base = self._embed([product])
        margin = self._margins(base, [product], class_id)[0]
        for name in self.texts:
            text = product[name].decode("utf-8")
            words = take_words(text)
            if not words or margin < 0:
                continue

            def tried(lists: list[list[str]], name: str = name, text: str = text) -> list[RawRow]:
                return [{**product, name: put_words(text, of).encode("utf-8")} for of in lists]

            dropped = [_with(words, at, "") for at in range(min(len(words), _MOST_WORDS))]
            importance = self._margins(base, tried(dropped), class_id)
            left = max(1, int(self.share * len(words)))
            for at in np.argsort(importance, kind="stable"):
                options = [_with(words, int(at), of) for of in self._variants(words[at])]
                margins = self._margins(base, tried(options), class_id)
                best = int(margins.argmin())
                if margins[best] < margin:
                    words, margin, left = options[best], margins[best], left - 1
                if margin < 0 or not left:
                    break
            product[name] = put_words(text, words).encode("utf-8")
        return product

    def _variants(self, word: str) -> list[str]:
        found = ["", *self.substitutes(word)]
        for edit in self.edits:
            others = edit.variants(word)
            found += [others[at] for at in _spread(len(others))]
        return list(dict.fromkeys(found))

    def _embed(self, products: list[RawRow], inputs: list[str] | None = None) -> Any:
        shown = [self.subject.hide(of, self.hidden) for of in products]
        arrays = self.subject.embed(shown, inputs)
        branch = self.subject.picture_branch
        if inputs is None and branch is not None:
            return self.subject.embed_pixels(arrays)
        return arrays

    def _margins(self, base: Any, products: list[RawRow], class_id: int) -> np.ndarray:
        """Returns by how much the true class is ahead, `(products,)`."""
        own = self._embed(products, self.texts)
        arrays = {
            name: own[name] if name in own else np.repeat(of, len(products), axis=0)
            for name, of in base.items()
        }
        logits = self.subject.pool(arrays)
        true = logits[:, class_id].copy()
        logits[:, class_id] = -np.inf
        return true - logits.max(axis=1)


def _with(words: list[str], at: int, word: str) -> list[str]:
    return [*words[:at], word, *words[at + 1 :]]


def _spread(number: int) -> list[int]:
    """Returns a few positions, evenly spread."""
    taken = min(number, _NUM_OF_EACH)
    return [index * number // taken for index in range(taken)]

"""Which probes a network is put through."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from trainer.augmentations.corruption import SEVERITIES, find_corruptions
from trainer.data.words import take_words
from trainer.inputs import InputSpec
from trainer.registry import ATTACKS, EDITS
from trainer.robustness.changes import RowChange, augmented, of_another, scaled, stuffed, without
from trainer.robustness.probe import Change, PictureAttack, Probe
from trainer.robustness.text_attack import TextAttack

EPS = 4
"""The usual strength of attacks on pictures, in steps of 1/255."""
LARGE_EPS = 64
"""At which pictures are no longer what they were, so that nothing can be told from them."""
CURVE = (1, 2, 4, 8)
WORD_SHARE = 0.15
"""Of the words that attacks may change."""
RATES = (0.05, 0.15, 0.3)
FACTORS = (0.1, 0.5, 2, 10)

ATTACKED = "Picture attacked"
ALONE = "Picture attacked, nothing else shown"
TRANSFERRED = "Picture attacked where nothing else is shown, then all shown"
TEXT_ATTACKED = "Text attacked"
TEXT_ALONE = "Text attacked, nothing else shown"
BOTH_ATTACKED = "Picture and text attacked"
EDITED = "Words changed at random"
CORRUPTED = "Picture corrupted"
CORRUPTED_ALONE = "Picture corrupted, nothing else shown"
ABSENT = "Absent"
SWAPPED = "Of another product"
SCALED = "Scaled"

GROUPS = (
    ATTACKED,
    TEXT_ATTACKED,
    BOTH_ATTACKED,
    ALONE,
    TEXT_ALONE,
    TRANSFERRED,
    CORRUPTED,
    CORRUPTED_ALONE,
    EDITED,
    ABSENT,
    SWAPPED,
    SCALED,
)
"""In the order of the report."""

STRENGTH_ATTACK, STRENGTH_STEPS = "pgd", 20
"""What the curve over strengths is measured with."""
STEPS = (2, 5, STRENGTH_STEPS)


def build_plan(
    inputs: Sequence[InputSpec], attackable: bool, texts: Sequence[str] = ()
) -> list[Probe]:
    """Lists the probes for a network.

    Args:
        inputs: What it reads.
        attackable: bool. Whether the pixels that it reads can be attacked.
        texts: What it is asked about: edits that change no word of them are
            left out.
    """
    kinds: dict[str, list[str]] = {}
    for spec in inputs:
        kinds.setdefault(spec.kind, []).append(spec.name)
    probes: list[Probe] = []
    if len(kinds) > 1:
        for kind, names in kinds.items():
            probes.append(Change(group=ABSENT, name=kind, change=without(names)))
            probes.append(Change(group=SWAPPED, name=kind, change=of_another(names)))
    for name in kinds.get("number", []):
        probes += [
            Change(
                group=SCALED,
                name=name,
                strength=factor,
                shown=f"times {factor:g}",
                change=scaled(name, factor),
            )
            for factor in FACTORS
        ]
    for name in kinds.get("image", []):
        others = [spec.name for spec in inputs if spec.name != name]
        probes += _corruptions(CORRUPTED, name, [])
        if others:
            alone = f"all but {name}"
            probes.append(Change(group=ABSENT, name=alone, change=without(others)))
            probes += _corruptions(CORRUPTED_ALONE, name, others)
    if attackable:
        probes += _attacks(is_one_of_many=len(inputs) > 1)
    if "text" in kinds:
        probes += _edits(kinds["text"], texts)
        probes += _text_attacks(is_one_of_many=len(kinds) > 1, attackable=attackable)
    return probes


def _corruptions(group: str, name: str, hidden: list[str]) -> list[Probe]:
    return [
        Change(
            group=group,
            name=kind,
            strength=severity,
            shown=f"severity {severity}",
            change=augmented(name, kind, hidden=hidden, severity=severity),
        )
        for kind in sorted(find_corruptions())
        for severity in SEVERITIES
    ]


def _edits(names: list[str], texts: Sequence[str]) -> list[Probe]:
    words = {word for text in texts for word in take_words(text)}
    known = [name for name in EDITS.names() if any(map(EDITS.get(name)().variants, words))]
    ways: dict[str, Callable[[str, float], RowChange]] = {
        name: lambda text, rate, name=name: augmented(text, "word_edits", rate=rate, kinds=[name])
        for name in known
    }
    ways["left out"] = lambda text, rate: augmented(text, "word_dropout", rate=rate)
    ways["swapped"] = lambda text, rate: augmented(text, "word_swap", rate=rate)
    ways["words of another class added"] = stuffed
    return [
        Change(
            group=EDITED,
            name=way if len(names) == 1 else f"{name}: {way}",
            strength=rate,
            shown=f"{rate:.0%} of the words",
            change=make(name, rate),
        )
        for name in names
        for way, make in ways.items()
        for rate in RATES
    ]


def _text_attacks(is_one_of_many: bool, attackable: bool) -> list[Probe]:
    what = {
        "name": "words left out, edited, exchanged",
        "strength": WORD_SHARE,
        "share": WORD_SHARE,
        "shown": f"{WORD_SHARE:.0%} of the words",
    }
    probes: list[Probe] = [TextAttack(group=TEXT_ATTACKED, **what)]
    if is_one_of_many:
        probes.append(TextAttack(group=TEXT_ALONE, alone=True, **what))
    if attackable:
        options = {"picture_attack": "apgd_ce", "options": {"eps": EPS / 255}}
        shown = f"{WORD_SHARE:.0%} of the words, then apgd_ce at {EPS}/255"
        probes.append(TextAttack(group=BOTH_ATTACKED, **{**what, "shown": shown}, **options))
    return probes


def _attacks(is_one_of_many: bool) -> list[Probe]:
    def attack(group: str, name: str, eps: float = EPS, **options: Any) -> PictureAttack:
        flags = {key: options.pop(key) for key in ("alone", "transferred") if key in options}
        steps = options.get("steps")
        return PictureAttack(
            group=group,
            name=f"{name}, {steps} steps" if steps else name,
            strength=eps,
            shown=f"{eps:g}/255",
            attack=name,
            options={"eps": eps / 255, **options},
            **flags,
        )

    curve = [
        attack(ATTACKED, STRENGTH_ATTACK, eps, steps=STRENGTH_STEPS, restarts=1) for eps in CURVE
    ]
    weaker = [attack(ATTACKED, "pgd", steps=steps, restarts=1) for steps in STEPS[:-1]]
    others = [attack(ATTACKED, name) for name in ATTACKS.names()]
    if not is_one_of_many:
        return [*curve, *weaker, *others, attack(ATTACKED, "apgd_ce", LARGE_EPS)]
    return [
        *curve,
        *weaker,
        *others,
        attack(ALONE, "apgd_ce", alone=True),
        attack(ALONE, "apgd_ce", LARGE_EPS, alone=True),
        attack(TRANSFERRED, "apgd_ce", transferred=True),
    ]

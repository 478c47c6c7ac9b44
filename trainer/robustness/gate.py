"""Whether the figures of attacks can be believed: checks that a flattered network fails."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from trainer.attacks.costs import margin
from trainer.registry import ATTACKS
from trainer.robustness.measure import Finding
from trainer.robustness.plan import ATTACKED, EPS, LARGE_EPS, STRENGTH_STEPS, TRANSFERRED
from trainer.robustness.probe import Bench, PictureAttack

NEAR_ZERO = 0.1
"""Accuracy that may be left where a picture is no longer what it was and stands alone."""
TOLERANCE = 0.02
"""Of accuracies that are compared, and at least one row."""


@dataclass(frozen=True)
class Check:
    """One reason to believe or not.

    Args:
        name: str. What must hold.
        passed: bool.
        detail: str. What was measured.
    """

    name: str
    passed: bool
    detail: str


def check_honesty(
    bench: Bench, findings: Sequence[Finding], proved: np.ndarray | None = None
) -> list[Check]:
    """Checks what attacks on pictures found; empty where there was none.

    Args:
        bench: The products.
        findings: Of all probes.
        proved: bool `(rows,)`, what `certify_pictures` says.

    References:
        Carlini et al., 2019, arXiv:1902.06705, and Athalye et al., 2018,
        arXiv:1802.00420: what gradient masking looks like.
    """
    attacks = [of for of in findings if isinstance(of.probe, PictureAttack)]
    own = [of for of in attacks if of.probe.group == ATTACKED]
    if not own:
        return []
    slack = max(TOLERANCE, 1.01 / len(bench.rows))
    checks = [
        _falls_with_strength(own, slack),
        _falls_to_nothing(attacks),
        _sees_more_than_a_black_box(own, slack),
        _more_steps_are_stronger(own, slack),
        _loss_hides_nothing(own, slack),
        _has_slopes(bench),
    ]
    if transferred := [of for of in attacks if of.probe.group == TRANSFERRED]:
        checks.append(_transfers_less(transferred, own, slack))
    if proved is not None:
        turned = sum(int(np.sum(proved & ~of.right)) for of in own)
        name = "No attack turns what is proved to hold"
        checks.append(Check(name, turned == 0, f"{proved.mean():.3f} proved, {turned} turned"))
    return checks


def _falls_with_strength(own: Sequence[Finding], slack: float) -> Check:
    curve = sorted(
        (of for of in own if _has_steps(of, STRENGTH_STEPS)), key=lambda of: of.probe.strength
    )
    rises = np.diff([of.accuracy for of in curve])
    told = ", ".join(f"{of.probe.shown}: {of.accuracy:.3f}" for of in curve)
    return Check("Accuracy falls as strength grows", bool(rises.max() <= slack), told)


def _falls_to_nothing(attacks: Sequence[Finding]) -> Check:
    """Where other inputs are shown, answers may rightly outlive the picture."""
    found = [of for of in attacks if _strength(of) == LARGE_EPS]
    left = min(of.accuracy for of in found)
    return Check(
        "Nothing is left of a picture alone at a strength that destroys it",
        left <= NEAR_ZERO,
        f"{left:.3f} at {LARGE_EPS}/255",
    )


def _sees_more_than_a_black_box(own: Sequence[Finding], slack: float) -> Check:
    usual = [of for of in own if _strength(of) == EPS]
    white = min(of.accuracy for of in usual if ATTACKS.get(_attack(of)).white_box)
    black = min(of.accuracy for of in usual if not ATTACKS.get(_attack(of)).white_box)
    return Check(
        "Attacks with gradients are at least as strong as those without",
        white <= black + slack,
        f"{white:.3f} with, {black:.3f} without",
    )


def _more_steps_are_stronger(own: Sequence[Finding], slack: float) -> Check:
    by_steps = sorted(
        (of for of in own if "steps" in of.probe.options and _strength(of) == EPS),
        key=lambda of: of.probe.options["steps"],
    )
    rises = np.diff([of.accuracy for of in by_steps])
    told = ", ".join(f"{of.probe.options['steps']}: {of.accuracy:.3f}" for of in by_steps)
    return Check("More steps are at least as strong", bool(rises.max() <= slack), told)


def _loss_hides_nothing(own: Sequence[Finding], slack: float) -> Check:
    usual = [of for of in own if _strength(of) == EPS]
    by_margin = min(of.accuracy for of in usual if _attack(of) in ("pgd_margin", "apgd_targeted"))
    by_loss = min(of.accuracy for of in usual if _attack(of) in ("pgd", "apgd_ce"))
    return Check(
        "The cross-entropy hides nothing that the margin shows",
        by_loss <= by_margin + max(slack, 0.05),
        f"{by_loss:.3f} by the cross-entropy, {by_margin:.3f} by the margin",
    )


def _transfers_less(transferred: Sequence[Finding], own: Sequence[Finding], slack: float) -> Check:
    """An attack that is made for the network is stronger than one made for a part of it."""
    made = min(of.accuracy for of in own if _strength(of) == EPS)
    found = min(of.accuracy for of in transferred)
    return Check(
        "Attacks made for a part of it are no stronger",
        made <= found + slack,
        f"{made:.3f} made for it, {found:.3f} made for its picture alone",
    )


def _has_slopes(bench: Bench) -> Check:
    subject = bench.subject
    own = subject.picture_branch.input.name
    there = [row for row, of in enumerate(bench.rows) if of[own] != subject.absent(own)]
    slopes = []
    for start in range(0, len(there), 16):
        rows = there[start : start + 16]
        pictures = subject.pictures([bench.rows[row] for row in rows], bench.class_ids[rows])
        _, gradients, _ = subject.victim.climb(margin, pictures)
        slopes.append(np.any(gradients != 0, axis=(1, 2, 3)))
    share = float(np.mean(np.concatenate(slopes))) if slopes else 0.0
    return Check("The margin has a slope at every picture", share == 1.0, f"at {share:.1%} of them")


def _has_steps(finding: Finding, steps: int) -> bool:
    return finding.probe.options.get("steps") == steps


def _attack(finding: Finding) -> str:
    return finding.probe.attack


def _strength(finding: Finding) -> float:
    return finding.probe.strength

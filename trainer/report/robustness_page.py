"""Writes the page on how far answers hold where products are changed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from trainer.report.figures.strength_curves import draw_strength_curves
from trainer.report.page import render_page, write_page
from trainer.report.product_view import ProductView


@dataclass(frozen=True)
class Case:
    """A product that was answered rightly until something was changed.

    Args:
        change: str. What was done.
        id: str.
        true_label: str.
        answered: str. What it was taken for then.
        before: The product as it is.
        after: The changed product.
    """

    change: str
    id: str
    true_label: str
    answered: str
    before: ProductView
    after: ProductView


def write_robustness_page(
    path: Path, *, title: str, summary: Mapping[str, Any], cases: Sequence[Case]
) -> None:
    """Writes `robustness.html`, whole or not at all.

    Args:
        path: File to write.
        title: str.
        summary: What `robustness.json` holds.
        cases: Products to show side by side.
    """
    groups: dict[str, dict[str, list[Mapping[str, Any]]]] = {}
    for probe in summary["probes"]:
        groups.setdefault(probe["group"], {}).setdefault(probe["name"], []).append(probe)
    panels = {
        group: {
            name: [(probe["shown"], probe["accuracy"]) for probe in _by_strength(probes)]
            for name, probes in names.items()
            if len(probes) > 2
        }
        for group, names in groups.items()
    }
    panels = {group: lines for group, lines in panels.items() if lines}
    clean = summary["clean"]["accuracy"]
    page = render_page(
        "robustness.html",
        title=title,
        summary=summary,
        groups=groups,
        picture=draw_strength_curves(panels, clean) if panels else "",
        cases=cases,
    )
    write_page(path, page)


def _by_strength(probes: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    return sorted(probes, key=lambda probe: probe["strength"])

"""Writes the page on how far answers hold where products are changed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
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
    for probe in sorted(summary["probes"], key=lambda probe: probe["strength"]):
        groups.setdefault(probe["group"], {}).setdefault(probe["name"], []).append(probe)
    order = list(dict.fromkeys(probe["group"] for probe in summary["probes"]))
    panels = {
        group: {
            name: [(_tick(probe["shown"]), probe["accuracy"]) for probe in probes]
            for name, probes in groups[group].items()
            if len(probes) > 2
        }
        for group in order
    }
    panels = {group: lines for group, lines in panels.items() if lines}
    tables = {
        group: {name: groups[group][name] for name in sorted(groups[group])} for group in order
    }
    clean = summary["clean"]["accuracy"]
    page = render_page(
        "robustness.html",
        title=title,
        summary=summary,
        tables=tables,
        strengths={group: _strengths(names.values()) for group, names in tables.items()},
        picture=draw_strength_curves(panels, clean) if panels else "",
        cases=cases,
    )
    write_page(path, page)


def _strengths(rows: Iterable[Sequence[Mapping[str, Any]]]) -> list[str]:
    """Returns the strengths of a group, where each of its rows has the same several ones."""
    found = [[probe["shown"] for probe in probes] for probes in rows]
    return found[0] if len(found[0]) > 1 and all(of == found[0] for of in found) else []


def _tick(shown: str) -> str:
    """Returns the number in a strength, `"severity 3"` or `"5% of the words"`."""
    return next((word for word in shown.split() if any(map(str.isdigit, word))), shown)

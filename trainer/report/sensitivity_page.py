"""Writes the page on what quantizing each block of a network costs."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from trainer.report.figures.sensitivity_bars import draw_sensitivity_bars
from trainer.report.page import render_page, write_page


def write_sensitivity_page(path: Path, run: str, found: Mapping[str, Any]) -> None:
    """Writes `sensitivity.html`, whole or not at all.

    Args:
        path: File to write.
        run: str. Name of the run that the network is of.
        found: What `sensitivity.json` holds.
    """
    blocks = sorted(found["blocks"], key=lambda block: -block["logit_error"])
    page = render_page(
        "sensitivity.html",
        title=f"What quantizing each block costs: {run}",
        found=found,
        blocks=blocks,
        kept=[block["name"] for block in blocks if block["in_float"]],
        picture=draw_sensitivity_bars(blocks),
    )
    write_page(path, page)

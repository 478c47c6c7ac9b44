"""Latency against the offered rate, and over time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

_CURVES = (("p50", "#1b6ca8"), ("p95", "#d98e04"), ("p99", "#b3261e"))


def draw_load(path: Path, figures: Sequence[Mapping[str, Any]], title: str) -> None:
    """Writes the figure.

    Args:
        path: Ends in `.svg` or `.png`.
        figures: A rate each, as `summarise` gives them.
        title: str.
    """
    # Not pyplot: it would choose a window system and keep state.
    from matplotlib.figure import Figure

    figure = Figure(figsize=(10, 7), layout="constrained")
    above, below = figure.subplots(2, 1)
    figure.suptitle(title)
    _draw_rates(above, figures)
    _draw_time(below, figures)
    figure.savefig(path, metadata={"Date": None} if path.suffix == ".svg" else None)


def _draw_rates(axes: Any, figures: Sequence[Mapping[str, Any]]) -> None:
    known = sorted((one for one in figures if one["latency_ms"]), key=lambda one: one["rate"])
    rates = [one["rate"] for one in known]
    for name, colour in _CURVES:
        axes.plot(rates, [one["latency_ms"][name] for one in known], "o-", color=colour, label=name)
    axes.set(xlabel="offered requests per second", ylabel="latency in ms", yscale="log")
    _finish(axes)
    axes.legend(loc="upper left")
    shares = axes.twinx()
    failed = [100 * (1 - one["answered"] / one["requests"]) for one in figures]
    shares.plot([one["rate"] for one in figures], failed, "x--", color="#666", label="errors")
    shares.set(ylabel="requests without an answer in %", ylim=(-2, 102))
    shares.legend(loc="lower right")


def _draw_time(axes: Any, figures: Sequence[Mapping[str, Any]]) -> None:
    start = 0.0
    for one in figures:
        parts = one["over_time"]
        seconds = [start + part["second"] for part in parts]
        for name, colour in (_CURVES[0], _CURVES[2]):
            values = [part[f"{name}_ms"] or float("nan") for part in parts]
            label = name if one is figures[0] else None
            axes.plot(seconds, values, ".-", color=colour, label=label)
        failed = [second for second, part in zip(seconds, parts, strict=True) if part["errors"]]
        axes.plot(
            failed, [0.01] * len(failed), "|", color="#666", transform=axes.get_xaxis_transform()
        )
        axes.axvline(start, color="#ccc", linewidth=1)
        axes.text(
            start,
            1.0,
            f" {one['rate']:g}/s",
            transform=axes.get_xaxis_transform(),
            va="top",
            fontsize=8,
        )
        start += one["seconds"]
    axes.set(xlabel="seconds (the marks below: errors)", ylabel="latency in ms", yscale="log")
    _finish(axes)
    axes.legend(loc="upper right")


def _finish(axes: Any) -> None:
    axes.grid(alpha=0.3)
    for which in (axes.yaxis.set_major_formatter, axes.yaxis.set_minor_formatter):
        which("{x:g}")  # numbers in place of powers of ten

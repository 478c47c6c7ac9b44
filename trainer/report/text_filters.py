"""How the report writes numbers and cuts texts."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any


def percent(share: float) -> str:
    """Writes 0.958 as "95.8 %"."""
    return f"{100 * share:.1f}\u00a0%"


def signed_percent(share: float) -> str:
    """Writes 0.021 as "+2.1 %" and what is below 0 with a true minus sign."""
    return f"{100 * share:+.1f}\u00a0%".replace("-", "\u2212")


def interval(bounds: Sequence[float]) -> str:
    """Writes (0.91, 0.985) as "91.0 to 98.5 %"."""
    return f"{100 * bounds[0]:.1f} to {percent(bounds[1])}"


def points(difference: float) -> str:
    """Writes 0.021 as "2.1 points"."""
    return f"{100 * difference:.1f}\u00a0points"


def signed_points(difference: float) -> str:
    """Writes 0.021 as "+2.1 points" and a loss with a true minus sign."""
    return f"{100 * difference:+.1f}\u00a0points".replace("-", "\u2212")


def count(number: int) -> str:
    """Writes 12345 as "12,345"."""
    return f"{number:,}"


def short_number(number: float | None) -> str:
    """Writes a number with four digits or all before its point, and a dash for None."""
    if number is None:
        return "\u2013"
    return f"{number:,.0f}" if 1e4 <= abs(number) < 1e12 else f"{number:.4g}"


def duration(seconds: float) -> str:
    """Writes 94.2 as "1 min 34 s"."""
    if seconds < 10:
        return f"{seconds:.1f}\u00a0s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes}\u00a0min {rest}\u00a0s" if minutes else f"{rest}\u00a0s"


def cut(text: str, length: int) -> str:
    """Cuts a text to `length` characters and says so with an ellipsis."""
    return text if len(text) <= length else text[: length - 1].rstrip() + "…"


def lowest_f1(per_class: Mapping[str, Any], limit: int) -> list[tuple[str, Any]]:
    """Returns the classes with the lowest F1 first, larger ones first among equals."""
    ranked = sorted(per_class.items(), key=lambda item: (item[1]["f1"], -item[1]["support"]))
    return ranked[:limit]


FILTERS: dict[str, Callable[..., Any]] = {
    function.__name__: function
    for function in (
        percent,
        signed_percent,
        interval,
        points,
        signed_points,
        count,
        short_number,
        duration,
        cut,
        lowest_f1,
    )
}

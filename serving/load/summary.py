"""Figures of one rate, and the table of all."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from serving.load.generator import Outcome
from serving.load.senders import ANSWERED
from serving.load.server_process import Watch

_PERCENTILES = (50, 90, 95, 99)
_TOLERATED_LAG = 0.002
_MEGABYTE = 2**20
_COLUMNS = ("offered/s", "ok/s", "p50", "p90", "p95", "p99", "max", "errors", "CPU", "MB", "lag")


def summarise(rate: float, batch: int, outcome: Outcome, watch: Watch | None) -> dict[str, Any]:
    """Returns the figures of one rate as `load.json` holds them.

    Args:
        rate: float. Requests per second that were asked for.
        batch: int. Rows a request.
        outcome: What became of them.
        watch: Of the server, if it could be watched.
    """
    answered = np.array([kind == ANSWERED for kind in outcome.kind])
    counts = Counter(kind for kind in outcome.kind if kind != ANSWERED)
    latency = outcome.latency[answered]
    return {
        "rate": rate,
        "requests": len(outcome.kind),
        "answered": int(answered.sum()),
        "requests_per_second": answered.sum() / outcome.seconds,
        "rows_per_second": batch * answered.sum() / outcome.seconds,
        "seconds": outcome.seconds,
        "latency_ms": percentiles(latency),
        "errors": dict(counts.most_common()),
        "error_latency_ms": percentiles(outcome.latency[~answered]),
        "generator": {
            "lag_ms": percentiles(outcome.lag),
            "cpu_ms_per_request": 1000 * outcome.cpu / len(outcome.kind),
            "cores": outcome.cpu / outcome.seconds,
            "was_late": was_late(outcome),
        },
        "server": None if watch is None else _describe(watch, outcome),
        "over_time": over_time(outcome),
    }


def percentiles(seconds: np.ndarray) -> dict[str, float] | None:
    """Returns milliseconds by name; `None` of nothing."""
    known = seconds[~np.isnan(seconds)] * 1000
    if not len(known):
        return None
    found = {f"p{p}": float(np.percentile(known, p)) for p in _PERCENTILES}
    return {**found, "max": float(known.max()), "mean": float(known.mean())}


def was_late(outcome: Outcome) -> bool:
    """Says whether the generator's own lag is a part of the latencies that matters.

    It is where one request in twenty was more than 2 ms late, and that is more
    than a tenth of what one in twenty had to wait.
    """
    if not len(outcome.lag):
        return False
    lag = float(np.percentile(outcome.lag, 95))
    latency = outcome.latency[~np.isnan(outcome.latency)]
    waited = float(np.percentile(latency, 95)) if len(latency) else 0.0
    return lag > _TOLERATED_LAG and lag > 0.1 * waited


def over_time(outcome: Outcome, bins: int = 60) -> list[dict[str, Any]]:
    """Returns latency and errors in equal parts of the time, by scheduled arrival."""
    answered = np.array([kind == ANSWERED for kind in outcome.kind])
    end = float(outcome.scheduled[-1]) or 1.0
    parts = max(1, min(bins, int(end)))
    index = np.minimum((outcome.scheduled / end * parts).astype(int), parts - 1)
    found = []
    for part in range(parts):
        inside = index == part
        figures = percentiles(outcome.latency[inside & answered]) or {}
        found.append(
            {
                "second": (part + 0.5) * end / parts,
                "requests": int(inside.sum()),
                "errors": int((inside & ~answered).sum()),
                **{f"{name}_ms": figures.get(name) for name in ("p50", "p99", "max")},
            }
        )
    return found


def format_table(figures: Sequence[Mapping[str, Any]]) -> str:
    """Returns the table for people: a line a rate; milliseconds, cores, megabytes."""
    lines = [_COLUMNS, *map(_format_line, figures)]
    widths = [max(len(line[i]) for line in lines) for i in range(len(_COLUMNS))]
    return "\n".join(
        "  ".join(cell.rjust(width) for cell, width in zip(line, widths, strict=True))
        for line in lines
    )


def _format_line(one: Mapping[str, Any]) -> tuple[str, ...]:
    latency, server = one["latency_ms"] or {}, one["server"]
    names = (*(f"p{p}" for p in _PERCENTILES), "max")
    return (
        f"{one['rate']:g}",
        f"{one['requests_per_second']:.1f}",
        *(f"{latency[p]:.1f}" if p in latency else "-" for p in names),
        str(sum(one["errors"].values())),
        f"{server['cores']:.2f}" if server else "-",
        f"{server['memory_max_mb']:.0f}" if server and server["memory_max_mb"] else "-",
        f"{one['generator']['lag_ms']['p99']:.2f}" if one["generator"]["lag_ms"] else "-",
    )


def _describe(watch: Watch, outcome: Outcome) -> dict[str, Any]:
    answered = outcome.kind.count(ANSWERED)
    megabytes = np.array(watch.memory) / _MEGABYTE
    return {
        "pid": watch.process.pid,
        "cpu_seconds": watch.cpu,
        "cores": watch.cpu / outcome.seconds,
        "cpu_ms_per_request": 1000 * watch.cpu / answered if answered else None,
        "memory_first_mb": float(megabytes[0]) if len(megabytes) else None,
        "memory_last_mb": float(megabytes[-1]) if len(megabytes) else None,
        "memory_max_mb": float(megabytes.max()) if len(megabytes) else None,
    }

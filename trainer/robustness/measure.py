"""Runs probes, goes on where it was interrupted, and sums up."""

from __future__ import annotations

import base64
import hashlib
import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from trainer.files import write_json
from trainer.progress import progress_bar
from trainer.robustness.probe import Bench, Outcome, Probe
from trainer.robustness.subject import RawRow

_NUM_SHOWN = 3
# Other versions of the probes may find something else.
_VERSION = 1


@dataclass(frozen=True)
class Finding:
    """What a probe found.

    Args:
        probe: What was done.
        answers: Answered class ids `(rows,)`.
        right: bool `(rows,)`.
        changed: Row to the changed product, of a few that were right before and wrong then.
        seconds: float.
    """

    probe: Probe
    answers: np.ndarray
    right: np.ndarray
    changed: Mapping[int, RawRow]
    seconds: float

    @property
    def accuracy(self) -> float:
        """The share of right answers."""
        return float(self.right.mean())


def run_probes(bench: Bench, plan: Sequence[Probe], folder: Path) -> list[Finding]:
    """Runs all probes, those of an earlier call excepted.

    Args:
        bench: The products.
        plan: Probes.
        folder: Where findings are kept; of these products and this network only.
    """
    clean = bench.subject.answer(bench.rows).argmax(axis=1) == bench.class_ids
    findings = []
    with progress_bar("Probing products", len(plan) * len(bench.rows)) as bar:
        for probe in plan:
            bar.set_postfix_str(probe.key, refresh=False)
            path = folder / f"{hashlib.sha256(probe.key.encode()).hexdigest()[:16]}.json"
            if path.is_file():
                bar.update(len(bench.rows))
            else:
                began = time.monotonic()
                outcome = probe.run(bench, bar.update)
                _write(path, bench, clean, outcome, time.monotonic() - began)
            findings.append(_read(path, bench, probe))
    return findings


def digest_bench(bench: Bench) -> str:
    """Names the products, their classes, the network and the seed."""
    digest = hashlib.sha256()
    described = [
        _VERSION,
        bench.subject.card.run,
        bench.seed,
        bench.class_ids.tolist(),
        [{name: repr(value) for name, value in row.items()} for row in bench.rows],
    ]
    digest.update(json.dumps(described).encode())
    return digest.hexdigest()[:16]


def _write(path: Path, bench: Bench, clean: np.ndarray, outcome: Outcome, seconds: float) -> None:
    turned = np.flatnonzero(clean & (outcome.answers != bench.class_ids)).tolist()
    told = [row for row in turned if row in outcome.changed][:_NUM_SHOWN]
    write_json(
        path,
        {
            "answers": outcome.answers.tolist(),
            "changed": {row: _encode(outcome.changed[row]) for row in told},
            "seconds": seconds,
        },
    )


def _read(path: Path, bench: Bench, probe: Probe) -> Finding:
    values = json.loads(path.read_text(encoding="utf-8"))
    answers = np.array(values["answers"], int)
    changed = {int(row): _decode(product) for row, product in values["changed"].items()}
    return Finding(probe, answers, answers == bench.class_ids, changed, values["seconds"])


def _encode(product: RawRow) -> dict[str, Any]:
    return {
        name: {"bytes": base64.b64encode(value).decode()}
        if isinstance(value, bytes)
        else {"number": None if np.isnan(value) else float(value)}
        for name, value in product.items()
    }


def _decode(product: Mapping[str, Any]) -> dict[str, bytes | float]:
    def decode(of: Mapping[str, Any]) -> bytes | float:
        if "bytes" in of:
            return base64.b64decode(of["bytes"])
        return float("nan") if of["number"] is None else of["number"]

    return {name: decode(of) for name, of in product.items()}

"""The robustness of a trained network on a labelled table: figures, gate and page."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from trainer.data.examples import read_examples, row_ids
from trainer.data.labels import join_label, read_labels
from trainer.data.table import Table
from trainer.evaluate import wilson_interval
from trainer.files import write_json
from trainer.predictor import Predictor
from trainer.products import Products
from trainer.report.robustness_page import Case, write_robustness_page
from trainer.robustness.certificate import certify_pictures
from trainer.robustness.gate import check_honesty
from trainer.robustness.measure import Finding, digest_bench, run_probes
from trainer.robustness.plan import (
    ATTACKED,
    BOTH_ATTACKED,
    CORRUPTED,
    CORRUPTED_ALONE,
    EPS,
    GROUPS,
    TEXT_ATTACKED,
    build_plan,
)
from trainer.robustness.probe import Bench
from trainer.robustness.subject import load_subject


def assess_robustness(
    workdir: Path, table: Table, out: Path, num_rows: int, seed: int = 0
) -> dict[str, Any]:
    """Measures how far answers hold where products are changed.

    Args:
        workdir: Of `taxofuse run` or `taxofuse train`.
        table: With the label columns that the model was trained on.
        out: Folder for `robustness.json` and `robustness.html`. What was
            measured is kept in it, so that the same call goes on.
        num_rows: int. How many of the labelled rows are drawn.
        seed: int. Of all that is drawn.

    Returns:
        What `robustness.json` holds.

    Raises:
        ValueError: if no row has a label that the model knows.
        FileNotFoundError: if the workdir has no model.
    """
    predictor = Predictor(workdir)
    card = predictor.card
    paths = read_labels(table, list(card.label), card.label_separator or None)
    labels = [None if path is None else join_label(path) for path in paths]
    known = {name: class_id for class_id, name in enumerate(card.class_names)}
    labelled = [row for row, label in enumerate(labels) if label in known]
    if not labelled:
        raise ValueError(
            f"No row has a label that the model knows in {list(card.label)}. "
            f"Expected some of {list(card.class_names)[:5]}..."
        )
    drawn = np.random.default_rng(seed).permutation(labelled)[:num_rows]
    kept = np.sort(drawn)
    trained_on = predictor.was_trained_on(table)[kept]
    table = Table(table.frame.iloc[kept], table.folder)
    ids = row_ids(table)
    examples = list(read_examples(table, card.inputs, ids))
    bench = Bench(
        load_subject(workdir),
        [example.values for example in examples],
        np.array([known[str(labels[row])] for row in kept]),
        seed,
    )
    names = [spec.name for spec in card.inputs if spec.kind == "text"]
    texts = [str(row[name], "utf-8") for row in bench.rows for name in names]
    plan = build_plan(card.inputs, bench.subject.picture_branch is not None, texts)
    findings = run_probes(bench, plan, out / "probes" / digest_bench(bench))
    proved = certify_pictures(bench)
    checks = check_honesty(bench, findings, proved)
    clean = bench.subject.answer(bench.rows).argmax(axis=1)
    summary = {
        "model": card.run,
        "num_rows": len(bench.rows),
        "num_trained_on": int(trained_on.sum()),
        "seed": seed,
        "clean": _figures(clean == bench.class_ids),
        "together": _together(findings, proved),
        "probes": [_describe(finding) for finding in sorted(findings, key=_by_group_and_strength)],
        "honest": all(check.passed for check in checks),
        "checks": [dataclasses.asdict(check) for check in checks],
    }
    write_json(out / "robustness.json", summary)
    write_robustness_page(
        out / "robustness.html",
        title=f"Robustness: {', '.join(card.label)}",
        summary=summary,
        cases=_cases(bench, ids, findings),
    )
    return summary


def _together(findings: Sequence[Finding], proved: np.ndarray | None) -> dict[str, Any]:
    """Returns figures of several probes at once, by what they are."""
    found: dict[str, Any] = {}
    if proved is not None:
        found["Whatever picture is shown (proved)"] = _figures(proved)
    usual = [of for of in findings if of.probe.group == ATTACKED and of.probe.strength == EPS]
    if usual:
        name = f"Picture attacked in all ways, {EPS}/255"
        found[name] = _figures(np.all([of.right for of in usual], axis=0))
    for finding in findings:
        if finding.probe.group in (TEXT_ATTACKED, BOTH_ATTACKED):
            found[f"{finding.probe.group}, {finding.probe.shown}"] = _figures(finding.right)
    for group in (CORRUPTED, CORRUPTED_ALONE):
        if corrupted := [of.accuracy for of in findings if of.probe.group == group]:
            found[f"{group}, mean of all"] = {"accuracy": float(np.mean(corrupted))}
    return found


def _figures(right: np.ndarray) -> dict[str, Any]:
    return {
        "accuracy": float(right.mean()),
        "interval": list(wilson_interval(int(right.sum()), len(right))),
    }


def _describe(finding: Finding) -> dict[str, Any]:
    probe = finding.probe
    return {
        "group": probe.group,
        "name": probe.name,
        "strength": probe.strength,
        "shown": probe.shown,
        **_figures(finding.right),
        "seconds": round(finding.seconds, 1),
    }


def _cases(bench: Bench, ids: Sequence[str], findings: Sequence[Finding]) -> list[Case]:
    """Returns the products to show: of each group and name the weakest change that turned one."""
    card = bench.subject.card
    cases: dict[tuple[str, str], Case] = {}
    for finding in sorted(findings, key=_by_group_and_strength):
        probe = finding.probe
        for row, changed in finding.changed.items():
            shown = Products.of_values(card.inputs, [bench.rows[row], changed])
            cases.setdefault(
                (probe.group, probe.name),
                Case(
                    change=probe.key,
                    id=ids[row],
                    true_label=card.class_names[bench.class_ids[row]],
                    answered=card.class_names[finding.answers[row]],
                    before=shown.view(0),
                    after=shown.view(1),
                ),
            )
    return list(cases.values())


def _by_group_and_strength(finding: Finding) -> tuple[int, float]:
    return GROUPS.index(finding.probe.group), finding.probe.strength

"""From a finished run to `metrics.json` and `report.html`."""

from __future__ import annotations

import dataclasses
import json
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from trainer.answers import Answers
from trainer.data.splits import SPLITS
from trainer.evaluate import (
    count_confusions,
    evaluate_answers,
    evaluate_slices,
    evaluate_tail,
    worst_rows,
)
from trainer.files import write_json
from trainer.input_pipeline import read_values
from trainer.inputs import InputSpec
from trainer.network import Network
from trainer.next_commands import next_commands
from trainer.products import Products
from trainer.report.product_view import ProductView
from trainer.report.report_data import ReportData
from trainer.report.study_row import StudyRow
from trainer.report.write_report import write_report
from trainer.run import Run
from trainer.slices import default_slices, read_slices
from trainer.spreading import certainty

_STUDIED_KINDS = ("image", "text")
_KIND_NAMES = {"image": "picture"}
_PRODUCTS_SHOWN, _VIEWS_SHOWN = 6, 3


def evaluate_run(run: Run, network: Network) -> dict[str, Any]:
    """Answers the held-out rows, and writes `metrics.json` and `report.html`.

    Args:
        run: Prepared run.
        network: What was trained on its training rows.

    Returns:
        The metrics.
    """
    split = run.report_split
    rows = run.catalogue.rows(split)
    labels = [run.catalogue.labels[row] for row in rows]
    with run.timed("answer the held-out rows"):
        answers = run.answer(network, split)
    metrics = evaluate_answers(answers, labels, run.catalogue.level_names)
    products = Products.read(run.catalogue.take(rows), run.catalogue.inputs, answers.ids)
    own_slices = read_slices(run.config.data.slices, answers.ids) if run.config.data.slices else {}
    train_counts = Counter(run.catalogue.labels[row] for row in run.catalogue.rows("train"))
    metrics |= evaluate_tail(metrics["per_class"], train_counts)
    slices = {
        **own_slices,
        **default_slices(answers, labels, products.texts, products.prices, train_counts),
    }
    metrics["slices"] = evaluate_slices(answers, labels, slices)
    study: list[StudyRow] = []
    if run.config.train.study:
        with run.timed("study each modality alone"):
            study = _study_modalities(run, answers, labels, own_slices)
    metrics["study"] = [dataclasses.asdict(row) for row in study]
    metrics["parameters"] = network.count_parameters()
    metrics["run"] = run.key
    metrics["measured_on"] = f"{split} rows, which the measured model has not learned from"
    chosen_by = ""
    if split == "eval":
        chosen_by = ", by which epoch and vote weights were chosen: the figures flatter a little"
        run.say(f"Measured on the eval rows{chosen_by}; give data.fractions a test share")
        metrics["measured_on"] += chosen_by
    if run.refits:
        metrics["measured_on"] += (
            "; the exported model was trained again with the same settings on all rows"
        )
    write_json(run.workdir / "metrics.json", metrics)
    run.tracker.log_metrics(metrics)
    report = ReportData(
        title=f"{Path(run.config.data.table).name or 'table'}: {', '.join(run.config.data.label)}",
        metrics=metrics,
        model=_describe_model(run, network),
        measured_on=f"held-out {split} products{chosen_by}",
        history=[_report_epoch(epoch) for epoch in network.history],
        slices=metrics["slices"],
        study=study,
        study_note=(
            "Each row is a model of its own, trained with the same settings on the inputs named."
        ),
        confusions=count_confusions(answers, labels),
        mistakes=[
            products.mistake(row, answers, labels[row]) for row in worst_rows(answers, labels)
        ],
        augmented=_show_views(run),
        columns=list(run.catalogue.columns.values()),
        columns_left_out=run.catalogue.leaks,
        rows_left_out=run.catalogue.rows_left_out,
        spread=_describe_spread(run, network),
        problem_rows=[
            (run.catalogue.ids[row], status) for row, status in run.rows.problems.items()
        ],
        split_sizes={name: len(run.catalogue.rows(name)) for name in SPLITS},
        split_note=f"{run.catalogue.num_groups} groups of near-duplicates stay in one split.",
        timings=run.timings,
        parameters=metrics["parameters"],
        config=dataclasses.asdict(run.config),
        next_commands=next_commands("WORKDIR"),
    )
    write_report(run.workdir / "report.html", report)
    return metrics


def load_metrics(run: Run) -> dict[str, Any] | None:
    """Returns what `evaluate_run` wrote, if this very run is finished."""
    path = run.workdir / "metrics.json"
    if not (run.is_done and path.is_file() and (run.workdir / "report.html").is_file()):
        return None
    metrics = json.loads(path.read_text(encoding="utf-8"))
    return metrics if metrics.get("run") == run.key else None


def _study_modalities(
    run: Run, answers: Answers, labels: list[str], slices: dict[str, list[str]]
) -> list[StudyRow]:
    kinds = [spec.kind for spec in run.catalogue.inputs]
    if len(set(kinds)) < 2:
        return []
    rows = [_study_row(_shown_names(run.catalogue.inputs), answers, labels, slices)]
    for kind in _STUDIED_KINDS:
        inputs = tuple(spec for spec in run.catalogue.inputs if spec.kind == kind)
        if inputs:
            network = run.fit(run.sample("train"), run.sample("eval"), inputs=inputs)
            alone = run.answer(network, run.report_split)
            rows.append(_study_row(_shown_names(inputs), alone, labels, slices))
    return rows


def _shown_names(inputs: Sequence[InputSpec]) -> list[str]:
    """Returns what people call the inputs: the only picture is `picture`."""
    kinds = Counter(spec.kind for spec in inputs)
    return [
        _KIND_NAMES.get(spec.kind, spec.name) if kinds[spec.kind] == 1 else spec.name
        for spec in inputs
    ]


def _study_row(
    inputs: list[str], answers: Answers, labels: list[str], slices: dict[str, list[str]]
) -> StudyRow:
    metrics = evaluate_answers(answers, labels)
    by_slice = evaluate_slices(answers, labels, slices)
    first = next(iter(by_slice.values()), {})
    return StudyRow(tuple(inputs), metrics["accuracy"], metrics["macro_f1"], first)


def _describe_spread(run: Run, network: Network) -> list[tuple[str, int, int, float]]:
    """Returns what unlabeled rows were given: label, training rows, unlabeled ones, certainty."""
    spread, class_names = network.spread, run.catalogue.class_names
    labelled = np.bincount(run.sample("train").class_ids, minlength=len(class_names))
    if spread.answers is None:
        return []
    given = np.bincount(spread.class_ids, minlength=len(class_names))
    sure = np.bincount(spread.class_ids, certainty(spread.answers), minlength=len(class_names))
    return [
        (class_names[index], int(labelled[index]), int(given[index]), sure[index] / given[index])
        for index in np.flatnonzero(given)
    ]


def _describe_model(run: Run, network: Network) -> str:
    encoders = ", ".join(f"{branch.name} ({branch.encoder.tuning})" for branch in network.branches)
    text = f"{run.config.model.fusion} fusion of {encoders}; measured as trained on the train rows."
    if run.refits:
        text += " The exported model was then trained again with the same settings on all rows."
    return text


def _show_views(run: Run) -> dict[str, list[ProductView]]:
    """Returns a few training products, by id and label, beside views of them."""
    if not run.rows.num_views:
        return {}
    rows = run.catalogue.rows("train")
    rows = rows[np.unique(np.linspace(0, len(rows) - 1, _PRODUCTS_SHOWN).astype(int))]
    specs = run.catalogue.inputs
    sides = []
    for source in [run.store.sources[0], *run.rows.view_folders[:_VIEWS_SHOWN]]:
        products = Products.of_values(specs, list(read_values(source, specs, rows)))
        sides.append([products.view(index) for index in range(len(rows))])
    return {
        f"{run.catalogue.ids[row]}: {run.catalogue.labels[row]}": list(views)
        for row, views in zip(rows, zip(*sides, strict=True), strict=True)
    }


def _report_epoch(epoch: dict[str, Any]) -> dict[str, Any]:
    names = {"val_loss": "eval_loss", "val_accuracy": "eval_accuracy"}
    return {names.get(name, name): value for name, value in epoch.items()}

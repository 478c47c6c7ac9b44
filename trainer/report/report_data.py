"""What the report is made of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from trainer.report.mistake import Mistake
from trainer.report.product_view import ProductView
from trainer.report.study_row import StudyRow

if TYPE_CHECKING:
    from trainer.data.columns import Column


@dataclass(frozen=True)
class ReportData:
    """Everything that the report shows; a part that is empty is left out.

    Args:
        title: str. Heading, such as `"products.csv: category"`.
        metrics: What `evaluate_answers` returned.
        model: str. A sentence that says which model was measured.
        measured_on: str. What the rows are, such as `"test products"`.
        history: One dict an epoch, in order: `stage`, `epoch`, and any of
            `loss`, `accuracy`, `eval_loss`, `eval_accuracy`, `seconds`,
            `learning_rate` (absent or None where not measured).
        slices: What `evaluate_slices` returned.
        study: Rows of the modality study; the row with the most inputs is
            compared with the best of those with one.
        study_note: str. How the rows of the study were made.
        confusions: What `count_confusions` returned.
        mistakes: The most confident wrong answers first.
        augmented: By id and label of a few training products, how they are and
            the changed copies that were learned from beside them.
        columns: Columns of the table as they were understood.
        columns_left_out: By column, the reason: a leak, or asked for.
        rows_left_out: By reason, the number of rows.
        spread: Of classes that unlabeled rows were given: the label, rows that
            have it, unlabeled rows that were given it, their mean certainty.
        problem_rows: `(id, status)` of rows answered from less than they should have.
        split_sizes: Rows by split.
        split_note: str. How the split was made, with the number of groups of
            near-duplicates.
        timings: Seconds by stage, in order.
        parameters: By part of the network how many were `trained` and how many there are in
            `all`, the whole `network` first.
        config: The resolved configuration, nested.
        next_commands: By purpose, a command line, such as
            `{"Predict": "taxofuse predict --model ..."}`.
    """

    title: str
    metrics: Mapping[str, Any]
    model: str = ""
    measured_on: str = "held-out products"
    history: Sequence[Mapping[str, Any]] = ()
    slices: Mapping[str, Mapping[str, Mapping[str, Any]]] = field(default_factory=dict)
    study: Sequence[StudyRow] = ()
    study_note: str = ""
    confusions: Mapping[tuple[str, str], int] = field(default_factory=dict)
    mistakes: Sequence[Mistake] = ()
    augmented: Mapping[str, Sequence[ProductView]] = field(default_factory=dict)
    columns: Sequence[Column] = ()
    columns_left_out: Mapping[str, str] = field(default_factory=dict)
    rows_left_out: Mapping[str, int] = field(default_factory=dict)
    spread: Sequence[tuple[str, int, int, float]] = ()
    problem_rows: Sequence[tuple[str, str]] = ()
    split_sizes: Mapping[str, int] = field(default_factory=dict)
    split_note: str = ""
    timings: Mapping[str, float] = field(default_factory=dict)
    parameters: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    config: Mapping[str, Any] = field(default_factory=dict)
    next_commands: Mapping[str, str] = field(default_factory=dict)

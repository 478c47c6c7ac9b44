"""Decides on the split of each row of all tables."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from components.example_gen.component import Parameters
from components.example_gen.corrections import read_corrections
from components.example_gen.deal import deal_groups
from components.example_gen.decide import Decision, decide
from components.example_gen.delivery import Delivery, deliver
from components.example_gen.grouper import Grouper
from components.example_gen.plan import LETTERS, Plan, PlannedPart
from components.example_gen.settle import join_by_id, keep_known, rehearsable
from components.examples import UNLABELED
from components.sources.open_source import open_source
from components.sources.span_pattern import has_spans
from trainer.data.columns import plan_inputs
from trainer.data.splits import SPLITS, split_rows


def make_plan(parameters: Parameters, scratch: Path, say: Callable[[str], None]) -> Plan:
    """Cuts all tables into parts and decides on the split of each row.

    Args:
        parameters: Of the component.
        scratch: Folder for the parts.
        say: Called with lines for people.

    Raises:
        ValueError, FileNotFoundError: where a table or a parameter does not fit.
    """
    return _Planner(parameters, scratch, say).plan()


class _Planner:
    def __init__(self, parameters: Parameters, scratch: Path, say: Callable[[str], None]) -> None:
        self._parameters = parameters
        self._parts = scratch / "parts"
        self._say = say
        self._corrections = read_corrections(parameters.corrections, parameters.label)
        say(f"Columns of {parameters.table}:")
        source = open_source(parameters.table, parameters.span)
        self._decision = decision = decide(source, parameters, say)
        inputs = plan_inputs({of.name: of for of in decision.columns}, text=parameters.text)
        self._grouper = Grouper(inputs, parameters.exact_rows, scratch / "keys")
        self._groups: dict[int, np.ndarray] = {}
        self._rows = 0
        if self._corrections.cells and has_spans(parameters.table) and "id" not in decision.kinds:
            raise ValueError(
                "Corrections name products by their ids, but the tables of the spans have no "
                "column 'id', and in each the rows are numbered from 0. Add the column."
            )
        self._current = self._deliver(parameters.table, decision, "current")

    def plan(self) -> Plan:
        parameters, current = self._parameters, self._current
        earlier = [self._deliver_span(span) for span in parameters.earlier]
        more: list[Delivery] = []
        if parameters.unlabeled:
            nothing = dataclasses.replace(self._decision, splits=None, drawn=False)
            more = [self._deliver(parameters.unlabeled, nothing, "unlabeled", teaches=False)]
        self._settle([*earlier, current, *more])
        again = self._rehearse(earlier)
        planned: list[PlannedPart] = []
        for delivery in (current, *more):
            planned += _letter(delivery, np.where(delivery.labelled, delivery.splits, UNLABELED))
        for delivery, rows in zip(earlier, again, strict=True):
            planned += _letter(delivery, np.where(rows, SPLITS[0], ""), again=True)
        if self._corrections.cells:
            self._say(self._corrections.describe())
        # Where the table stands is no part of what is known of it.
        columns = [
            dataclasses.replace(of, reason=of.reason.replace(f" in {current.folder}", ""))
            for of in self._decision.columns
        ]
        return Plan(tuple(columns), tuple(planned), self._notes(again))

    def _deliver_span(self, span: int) -> Delivery:
        source = open_source(self._parameters.table, span)
        decision = decide(source, self._parameters, lambda line: None)
        return self._deliver(self._parameters.table, decision, f"span-{span}", span)

    def _deliver(
        self,
        table: str,
        decision: Decision,
        name: str,
        span: int | None = None,
        teaches: bool = True,
    ) -> Delivery:
        """Cuts a table into parts and draws what is to be drawn by keys."""
        delivery = deliver(
            open_source(table, self._parameters.span if span is None else span),
            decision,
            self._parameters,
            self._corrections,
            self._parts / name,
            kinds=self._decision.kinds,
            first_row=self._rows,
            prefix="" if name == "current" else f"{name}/",
            teaches=teaches,
        )
        self._rows += len(delivery.ids)
        if decision.drawn and decision.splits is None:
            groups = self._grouper.group([delivery])
            delivery.num_groups = int((np.bincount(groups[delivery.labels >= 0]) > 1).sum())
            delivery.splits = self._draw(delivery.labels, groups)
        return delivery

    def _draw(self, labels: np.ndarray, groups: np.ndarray) -> np.ndarray:
        """Draws the splits of rows with a label, `""` for others."""
        fractions, seed = self._parameters.fractions, self._parameters.seed
        if len(labels) > self._parameters.exact_rows:
            return deal_groups(labels, groups, fractions, seed)
        names = [None if label < 0 else label for label in labels.tolist()]
        return split_rows(names, groups, fractions=fractions, seed=seed)

    def _settle(self, deliveries: list[Delivery]) -> None:
        """Gives products that are known from earlier the split they had, and new labels one."""
        for index, delivery in enumerate(deliveries):
            is_new = delivery.labelled & (delivery.splits == "")
            adapts = index > 0 and not delivery.is_split and (delivery.splits != "").any()
            if not (adapts or is_new.any()):
                continue
            stack = deliveries[: index + 1]
            groups = self._group(stack)
            if adapts:
                rows = len(delivery.ids)
                before = _concatenate(of.splits for of in stack[:-1])
                known = np.append(before != "", np.zeros(rows, bool))
                splits = np.append(before, np.full(rows, ""))
                found = keep_known(groups, splits, known)[-rows:]
                rest = (delivery.splits != "") & (found == "")
                found[rest] = self._draw(np.where(rest, delivery.labels, -1), groups[-rows:])[rest]
                delivery.splits = np.where(delivery.splits != "", found, "")
            if is_new.any():
                splits = _concatenate(of.splits for of in stack)
                known = splits != ""
                splits[-len(delivery.ids) :][is_new] = SPLITS[0]
                delivery.splits = keep_known(groups, splits, known)[-len(delivery.ids) :]

    def _rehearse(self, earlier: list[Delivery]) -> list[np.ndarray]:
        """Says which rows of earlier deliveries are learned again."""
        again = [np.zeros(len(delivery.ids), bool) for delivery in earlier]
        amount = self._parameters.rehearse
        if not amount:
            return again
        stack = [*earlier, self._current]
        splits = _concatenate(of.splits for of in stack)
        ids = _concatenate(of.ids for of in stack)
        may = rehearsable(self._group(stack), splits, ids)
        may &= _concatenate(of.labelled for of in stack)
        rows = np.flatnonzero(may[: -len(self._current.ids)])
        count = min(len(rows), round(amount * len(rows) if amount <= 1 else amount))
        rng = np.random.default_rng(self._parameters.seed)
        chosen = np.zeros(len(may), bool)
        chosen[rng.permutation(rows)[:count]] = True
        ends = np.cumsum([len(delivery.ids) for delivery in earlier])
        return np.split(chosen[: ends[-1]], ends[:-1])

    def _group(self, stack: list[Delivery]) -> np.ndarray:
        if len(stack) not in self._groups:  # always the first deliveries of the same list
            ids = _concatenate(of.ids for of in stack)
            self._groups[len(stack)] = join_by_id(self._grouper.group(stack), ids)
        return self._groups[len(stack)]

    def _notes(self, again: list[np.ndarray]) -> dict[str, Any]:
        parameters = self._parameters
        notes: dict[str, Any] = {
            "label_separator": parameters.label_separator,
            "text": parameters.text,
            "leaks": dict(self._decision.leaks),
            "near_duplicate_groups": self._decision.num_groups or self._current.num_groups,
        }
        if self._corrections.cells:
            notes["corrections"] = {
                "changed": len(self._corrections.changed),
                "confirmed": len(self._corrections.confirmed),
                "unmatched": len(self._corrections.unmatched),
            }
        if again:
            spans = map(str, parameters.earlier)
            notes["rehearsed"] = {
                span: int(rows.sum()) for span, rows in zip(spans, again, strict=True)
            }
        return notes


def _letter(delivery: Delivery, splits: np.ndarray, again: bool = False) -> list[PlannedPart]:
    letters = "".join(LETTERS[split] for split in splits.tolist())
    ends = np.cumsum(delivery.sizes)
    return [
        PlannedPart(str(part), str(delivery.folder), letters[end - size : end], again)
        for part, size, end in zip(delivery.parts, delivery.sizes, ends, strict=True)
    ]


def _concatenate(arrays: Iterator[np.ndarray]) -> np.ndarray:
    return np.concatenate(list(arrays))

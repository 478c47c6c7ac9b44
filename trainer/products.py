"""What people are shown of the products of a table."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from trainer.answers import Answers
from trainer.data.cells import as_text
from trainer.data.examples import read_examples
from trainer.data.table import Table
from trainer.inputs import InputSpec
from trainer.report.mistake import Mistake
from trainer.report.product_view import ProductView


@dataclass(frozen=True)
class Products:
    """Raw values and shown cells of some rows.

    Args:
        specs: Inputs.
        values: Of each row the raw value by input name.
        details: Of each row the cells worth showing beside text and picture.
    """

    specs: tuple[InputSpec, ...]
    values: list[dict[str, bytes | float]]
    details: list[dict[str, str]]

    @classmethod
    def read(cls, table: Table, specs: tuple[InputSpec, ...], ids: Sequence[str]) -> Products:
        """Reads all rows of a table."""
        shown = [
            name
            for spec in specs
            if spec.kind in ("number", "category")
            for name in spec.columns
            if name in table.frame.columns
        ]
        return cls(
            specs,
            [example.values for example in read_examples(table, specs, ids)],
            [
                {name: as_text(table.frame[name].iat[row]) for name in shown}
                for row in range(len(ids))
            ],
        )

    @classmethod
    def of_values(
        cls, specs: tuple[InputSpec, ...], values: Sequence[Mapping[str, bytes | float]]
    ) -> Products:
        """Takes raw values that stand in no table."""
        shown = [spec.name for spec in specs if spec.kind in ("number", "category")]
        details = [{name: _shown(row[name]) for name in shown} for row in values]
        return cls(specs, [dict(row) for row in values], details)

    @property
    def texts(self) -> list[str] | None:
        """All text of each row, or `None` where there is no text input."""
        names = [spec.name for spec in self.specs if spec.kind == "text"]
        if not names:
            return None
        return ["\n".join(_decode(row[name]) for name in names) for row in self.values]

    @property
    def prices(self) -> np.ndarray | None:
        """The first number input called a price, `(rows,)`, or `None`."""
        names = [spec.name for spec in self.specs if spec.kind == "number"]
        name = next((name for name in names if "price" in name), None)
        return None if name is None else np.array([row[name] for row in self.values], np.float32)

    def view(self, row: int) -> ProductView:
        """Returns what there is to see of a row."""
        pictures = [self.values[row][spec.name] for spec in self.specs if spec.kind == "image"]
        texts = self.texts
        return ProductView(
            text=texts[row] if texts else "",
            picture=pictures[0] if pictures and isinstance(pictures[0], bytes) else b"",
            details=self.details[row],
        )

    def mistake(self, row: int, answers: Answers, true_label: str) -> Mistake:
        """Returns a wrong answer with the evidence it was given on."""
        view = self.view(row)
        known = true_label in answers.class_names
        return Mistake(
            id=answers.ids[row],
            true_label=true_label,
            predicted_label=answers.labels[row],
            confidence=float(answers.confidence[row]),
            true_score=float(answers.scores[row, answers.class_names.index(true_label)])
            if known
            else None,
            text=view.text,
            picture=view.picture,
            details=view.details,
            status=answers.status[row],
        )


def _shown(value: bytes | float) -> str:
    if isinstance(value, bytes):
        return _decode(value)
    return "" if math.isnan(value) else f"{value:g}"


def _decode(value: bytes | float) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else ""

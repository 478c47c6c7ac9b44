"""What each column of a table is, and which inputs of the model it feeds."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from trainer.data.cells import as_text
from trainer.data.recognition import FILE_SUFFIXES, is_description, is_title, recognize
from trainer.data.splits import SPLIT_NAMES
from trainer.data.table import Table
from trainer.inputs import InputSpec
from trainer.registry import MODALITIES, unknown

TEXT_PLANS = ("joined", "separate")


@dataclass(frozen=True)
class Column:
    """A column and what it is for.

    Args:
        name: str.
        kind: A modality (`image`, `text`, `number`, `category` ...), or `id`,
            `label`, `auxiliary label`, `split`, `ignored`.
        reason: str. Why, in a clause for people.
    """

    name: str
    kind: str
    reason: str


def infer_columns(
    table: Table,
    *,
    labels: Sequence[str],
    auxiliary: Sequence[str] = (),
    ignore: Sequence[str] = (),
    overrides: Mapping[str, str] | None = None,
    split_column: str | None = None,
) -> dict[str, Column]:
    """Says of every column what it is, in the order of the table.

    Args:
        table: Table.
        labels: Names of the label columns.
        auxiliary: Names of columns that auxiliary objectives read, in training only.
        ignore: Names of columns to leave out.
        overrides: Kinds by column name, a modality or `"ignored"`; they win.
        split_column: Name of the user's own split column. By default a column
            called `split` that holds nothing but splits is one.

    Raises:
        ValueError: if a column or kind is unknown, or one column is asked to
            be two things.
    """
    overrides = dict(overrides or {})
    kinds = [*MODALITIES.names(), "ignored"]
    given: dict[str, Column] = {}

    def give(name: str, kind: str, reason: str) -> None:
        if name not in table.frame.columns:
            raise ValueError(unknown("column", name, table.frame.columns))
        if name in given:
            raise ValueError(
                "A column can be one thing. "
                f"Received: {name!r} as {given[name].kind} and as {kind}."
            )
        given[name] = Column(name, kind, reason)

    for name in labels:
        give(name, "label", "given as the label")
    for name in auxiliary:
        give(name, "auxiliary label", "learned beside the label, no input")
    if split_column is not None:
        give(split_column, "split", "given as the split")
    for name in ignore:
        give(name, "ignored", "left out as asked")
    for name, kind in overrides.items():
        if kind not in kinds:
            raise ValueError(unknown(f"kind of column {name!r}", kind, kinds))
        give(name, kind, "set by hand")
    return {
        name: given.get(name) or _infer(name, table, kinds, split_column is None)
        for name in table.frame.columns
    }


def _infer(name: str, table: Table, kinds: Sequence[str], seek_split: bool) -> Column:
    cells = table.frame[name]
    if seek_split and name == "split" and len(cells):
        said = {as_text(cell).lower() for cell in cells}
        if said <= SPLIT_NAMES:
            return Column(name, "split", "it is called `split` and holds splits")
    return Column(name, *recognize(name, cells, table.folder, kinds))


def plan_inputs(columns: Mapping[str, Column], *, text: str = "joined") -> tuple[InputSpec, ...]:
    """Plans the inputs of the model: files, then text, then the others.

    Args:
        columns: What `infer_columns` returns.
        text: `"joined"` makes one input `text` of all text columns, the title
            first, then the description, then the others; `"separate"` makes
            one of each.

    Raises:
        ValueError: if no column is left to learn from.
    """
    if text not in TEXT_PLANS:
        raise ValueError(unknown("text plan", text, TEXT_PLANS))
    by_kind: dict[str, list[str]] = {}
    for column in columns.values():
        if column.kind in MODALITIES.names():
            by_kind.setdefault(column.kind, []).append(column.name)
    plan: list[tuple[str, str, tuple[str, ...]]] = []
    for kind in FILE_SUFFIXES:
        names = by_kind.pop(kind, [])
        for name in names:
            stem = kind if len(names) == 1 else name
            plan.append((f"{stem}_bytes", kind, (name,)))
    texts = sorted(
        by_kind.pop("text", []), key=lambda n: 0 if is_title(n) else 2 - is_description(n)
    )
    if texts and text == "joined":
        plan.append(("text", "text", tuple(texts)))
    else:
        plan.extend((name, "text", (name,)) for name in texts)
    for name in columns:
        plan.extend((name, kind, (name,)) for kind, names in by_kind.items() if name in names)
    if not plan:
        kinds = ", ".join(f"{column.name}: {column.kind}" for column in columns.values())
        raise ValueError(f"No column is left to learn from. Received: {kinds}.")
    names_used = _identifiers(name for name, _, _ in plan)
    return tuple(
        InputSpec(name, kind, read) for name, (_, kind, read) in zip(names_used, plan, strict=True)
    )


def _identifiers(names: Iterable[str]) -> list[str]:
    """Returns different ASCII identifiers, which TensorFlow accepts as names of tensors."""
    taken: set[str] = set()
    result = []
    for name in names:
        stem = re.sub(r"\W+", "_", name, flags=re.ASCII).strip("_") or "input"
        stem = f"input_{stem}" if stem[0].isdigit() else stem
        unique, number = stem, 2
        while unique.lower() in taken:
            unique, number = f"{stem}_{number}", number + 1
        taken.add(unique.lower())
        result.append(unique)
    return result

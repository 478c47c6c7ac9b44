"""A user's table understood: inputs, labels, splits, and what was left out."""

from __future__ import annotations

import functools
import hashlib
import operator
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from trainer.config import DataConfig
from trainer.data.cells import as_text, cell_content
from trainer.data.columns import Column, infer_columns, plan_inputs
from trainer.data.duplicates import group_near_duplicates
from trainer.data.examples import row_ids
from trainer.data.labels import join_label, read_labels
from trainer.data.leakage import find_leaks
from trainer.data.splits import SPLITS, split_rows, user_splits
from trainer.data.suspicions import NO_SPLIT, read_suspicions, settle_suspicions
from trainer.data.table import Table, read_table
from trainer.data.taxonomy import Taxonomy, check_labels, read_taxonomy
from trainer.data.unlabeled import find_copies, read_unlabeled, stack_tables
from trainer.files import file_state
from trainer.inputs import InputSpec
from trainer.registry import unknown

# What is written of the same rows may differ from one version of the program to the next.
_EXAMPLES_VERSION = b"3"
# Each unlabeled row is compared with all others.
_MAX_UNLABELED = 50_000


@dataclass(frozen=True)
class Catalogue:
    """The labelled rows of a table, ready to be split, trained on and reported.

    Args:
        table: Labelled rows only.
        unlabeled: Inputs of the rows without a label that training may use.
        ids: Their ids.
        labels: Their label paths, joined.
        taxonomy: All classes.
        level_names: Names of the levels, from the top down.
        inputs: Inputs of the model.
        auxiliary: Cells of columns that auxiliary objectives read, by column.
        columns: What each column was taken for.
        leaks: Columns left out because they give the label away, and why.
        splits: `(rows,)`, `train`, `eval`, `test`, or `NO_SPLIT`.
        weights: `(rows,)` float32, how much each row counts in training.
        num_groups: Groups of near-duplicates with more than one row.
        rows_left_out: Reason to number of rows.
    """

    table: Table
    unlabeled: Table
    ids: list[str]
    labels: list[str]
    taxonomy: Taxonomy
    level_names: tuple[str, ...]
    inputs: tuple[InputSpec, ...]
    auxiliary: dict[str, np.ndarray]
    columns: dict[str, Column]
    leaks: dict[str, str]
    splits: np.ndarray
    weights: np.ndarray
    num_groups: int
    rows_left_out: dict[str, int]

    @property
    def class_names(self) -> list[str]:
        """All label paths, sorted; some may have no row."""
        return list(self.taxonomy.texts)

    @property
    def class_ids(self) -> np.ndarray:
        """Index of the class of each row, `(rows,)` int32."""
        index = {name: position for position, name in enumerate(self.class_names)}
        return np.array([index[label] for label in self.labels], np.int32)

    @property
    def split_names(self) -> list[str]:
        """Names of the splits, the usual three even where one is empty."""
        return [*SPLITS, *sorted(set(self.splits.tolist()) - {*SPLITS, NO_SPLIT})]

    def rows(self, split: str) -> np.ndarray:
        """Positions of the rows of a split."""
        return np.flatnonzero(self.splits == split)

    def take(self, rows: np.ndarray) -> Table:
        """Returns the table of some rows."""
        return _take(self.table, rows)

    def content_fingerprint(self, table: Table) -> str:
        """Returns a hash of what is read of a table: cells, and picture files by size and time."""
        digest = hashlib.sha256(_EXAMPLES_VERSION)
        digest.update(repr([(s.name, s.kind, s.columns) for s in self.inputs]).encode())
        digest.update(b"%d rows" % len(table.frame))
        for spec in self.inputs:
            for name in spec.columns:
                for cell in table.frame[name]:
                    digest.update(cell_content(cell))
                    # An empty cell names the folder, which is no file.
                    if spec.kind == "image":
                        name_of_file = as_text(cell).replace("\\", "/")
                        digest.update(file_state(table.folder / name_of_file).encode())
        return digest.hexdigest()[:16]

    def fingerprint(self) -> str:
        """Returns a hash of the contents, taxonomy, labels, ids, splits and weights."""
        auxiliary = {name: cells.tolist() for name, cells in self.auxiliary.items()}
        rows = [self.labels, self.ids, self.taxonomy, self.splits.tolist(), self.weights.tolist()]
        digest = hashlib.sha256(repr([*rows, auxiliary]).encode())
        for table in (self.table, self.unlabeled):
            digest.update(self.content_fingerprint(table).encode())
        return digest.hexdigest()[:16]


def load_catalogue(
    source: str | Path | pd.DataFrame,
    config: DataConfig,
    say: Callable[[str], None],
    draw_splits: Callable[[list[str], np.ndarray], np.ndarray] | None = None,
    auxiliary: Sequence[str] = (),
) -> Catalogue:
    """Reads a table and decides what each column is for.

    Args:
        source: Path of the table, or a DataFrame.
        config: How to read it.
        say: Called with lines for people.
        draw_splits: From the labels and the groups of near-duplicates to the
            split of each row, for other splits than the configuration's. What
            `config.suspicious` says is not applied then.
        auxiliary: Columns that auxiliary objectives read as labels.

    Raises:
        ValueError: if a named column does not exist, fewer than two classes
            have rows, or the taxonomy does not fit.
    """
    suspicions: dict[tuple[str, str], str] = {}
    if config.suspicious and not draw_splits:
        suspicions = read_suspicions(config.suspicious, config.wrong_labels)
    table = read_table(source)
    columns, leaks, paths = decide_columns(table, config, say, auxiliary)
    labelled = np.array([row for row, path in enumerate(paths) if path is not None], np.int64)
    labels = [join_label(path) for path in paths if path is not None]
    if len(set(labels)) < 2:
        raise ValueError(
            "At least two classes need rows. Received: "
            f"{len(labels)} labelled rows of {len(paths)}, classes {sorted(set(labels))}."
        )
    ids = row_ids(table)
    kept_ids = [ids[row] for row in labelled]
    kept = _take(table, labelled)
    inputs = plan_inputs(columns, text=config.text)
    taxonomy = Taxonomy.of_labels(labels)
    if config.taxonomy:
        num_levels = 0 if config.label_separator else len(config.label)
        taxonomy = read_taxonomy(config.taxonomy, inputs, num_levels)
        check_labels(taxonomy, kept_ids, labels)
    unlabeled, rows_left_out = _find_unlabeled(table, labelled, inputs, config)
    split_column = next((c.name for c in columns.values() if c.kind == "split"), None)
    num_groups = 0
    if split_column and not draw_splits:
        splits = user_splits(kept.frame[split_column].tolist())
    else:
        groups = group_near_duplicates(kept, inputs)
        num_groups = sum(size > 1 for size in Counter(groups.tolist()).values())
        splits = (draw_splits or _draw_splits(config))(labels, groups)
    splits, weights = np.asarray(splits), np.ones(len(labels), np.float32)
    if suspicions:
        listed = labels
        labels, splits, weights = settle_suspicions(
            suspicions, config.wrong_labels, kept_ids, labels, splits, taxonomy.texts
        )
        if changed := sum(map(operator.ne, labels, listed)) + int((weights < 1).sum()):
            say(f"{changed} training rows changed by data.wrong_labels={config.wrong_labels}")
    if left_out := int((splits == NO_SPLIT).sum()):
        rows_left_out["suspicious label"] = left_out
    return Catalogue(
        table=kept,
        unlabeled=unlabeled,
        ids=kept_ids,
        labels=labels,
        taxonomy=taxonomy,
        level_names=_level_names(config, taxonomy.texts),
        inputs=inputs,
        auxiliary={name: np.array([as_text(c) for c in kept.frame[name]]) for name in auxiliary},
        columns=columns,
        leaks=leaks,
        splits=splits,
        weights=weights,
        num_groups=num_groups,
        rows_left_out=rows_left_out,
    )


def decide_columns(
    table: Table, config: DataConfig, say: Callable[[str], None], auxiliary: Sequence[str] = ()
) -> tuple[dict[str, Column], dict[str, str], list[tuple[str, ...] | None]]:
    """Decides what each column of a table is for.

    Args:
        table: All rows, or enough of them to judge by.
        config: How to read it.
        say: Called with lines for people.
        auxiliary: Columns that auxiliary objectives read as labels.

    Returns:
        `(columns, leaks, labels)`: what each column was taken for, the columns left out
        because they give the label away and why, and the label of each row as `read_labels`.

    Raises:
        ValueError: if a named column does not exist.
    """
    if not config.label:
        raise ValueError(
            f"Which column is the label? Name it with --label. Columns: {list(table.frame.columns)}"
        )
    columns = infer_columns(
        table,
        labels=config.label,
        auxiliary=auxiliary,
        ignore=config.ignore,
        overrides=config.columns,
        split_column=config.split or None,
    )
    for name in config.use:
        if name not in columns:
            raise ValueError(unknown("column in data.use", name, columns))
    paths = read_labels(table, config.label, config.label_separator or None)
    found = find_leaks(table, columns, paths)
    leaks = {name: reason for name, reason in found.items() if name not in config.use}
    columns = {
        name: Column(name, "ignored", leaks[name]) if name in leaks else column
        for name, column in columns.items()
    }
    width = max(map(len, columns), default=0)
    for column in columns.values():
        say(f"  {column.name:<{width}}  {column.kind:<9} {column.reason}")
    return columns, leaks, paths


def describe_splits(catalogue: Catalogue) -> str:
    """Returns one line for people, `565 train, 71 eval, 70 test rows`."""
    sizes = {split: len(catalogue.rows(split)) for split in catalogue.split_names}
    return ", ".join(f"{size} {split}" for split, size in sizes.items() if size) + " rows"


def _find_unlabeled(
    table: Table, labelled: np.ndarray, inputs: tuple[InputSpec, ...], config: DataConfig
) -> tuple[Table, dict[str, int]]:
    """Returns the unlabeled rows to train with, and why others are left out.

    A copy of a held-out row would flatter the figures, and from one of a
    training row there is nothing to learn.
    """
    own = _take(table, np.setdiff1d(np.arange(len(table.frame)), labelled))
    if not config.unlabeled:
        reasons = {"no label": len(own.frame)} if len(own.frame) else {}
        return stack_tables([_take(own, [])], inputs), reasons
    tables = [own]
    if Path(config.unlabeled).resolve() != Path(config.table).resolve():
        tables.append(read_unlabeled(config.unlabeled, inputs))
    found = stack_tables(tables, inputs)
    copies = find_copies(_take(table, labelled), found, inputs)
    rows = np.flatnonzero(~copies)
    if len(rows) > _MAX_UNLABELED:
        drawn = np.random.default_rng(config.seed).choice(rows, _MAX_UNLABELED, replace=False)
        rows = np.sort(drawn)
    reasons = {
        "no label, nearly the same as a labelled row": int(copies.sum()),
        "no label, more than can be compared": int((~copies).sum()) - len(rows),
    }
    return _take(found, rows), {reason: count for reason, count in reasons.items() if count}


def _take(table: Table, rows: Sequence[int] | np.ndarray) -> Table:
    return Table(table.frame.iloc[rows].reset_index(drop=True), table.folder)


def _draw_splits(config: DataConfig) -> Callable[[list[str], np.ndarray], np.ndarray]:
    return functools.partial(split_rows, fractions=config.fractions, seed=config.seed)


def _level_names(config: DataConfig, class_names: Iterable[str]) -> tuple[str, ...]:
    if not config.label_separator:
        return config.label
    depth = max(name.count(" > ") + 1 for name in class_names)
    return tuple(f"{config.label[0]}_{level}" for level in range(1, depth + 1))

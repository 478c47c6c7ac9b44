"""ExampleGen: a user's table becomes splits of TFRecord shards."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path

from components.artifact import EXAMPLES
from components.component import Component
from components.sources.span_pattern import has_spans
from trainer.config import DataConfig, refuse


@dataclass(frozen=True)
class Parameters:
    """Which table, and how it is read; `DataConfig` has settings of the same names.

    Args:
        table: Path of a CSV, TSV or Parquet file, or what else `open_source` reads; `{SPAN}` in
            it stands for the number of the span.
        label: Label columns from the top of the taxonomy down.
        label_separator: Splits one label column of paths into levels.
        ignore: Columns that are left out.
        use: Columns that are used even though they give the label away.
        columns: Column to kind, where the inferred kind is wrong.
        text: `joined` or `separate`.
        split: Column that says `train`, `eval` or `test`; drawn where empty.
        fractions: Shares of the rows drawn for training, choosing and reporting.
        seed: Of the drawn split.
        auxiliary: Columns that auxiliary objectives learn; no inputs.
        unlabeled: Table of more products, whose labels do not count.
        corrections: Table of `id` and the label columns with labels that people have reviewed;
            they take the place of the table's, and empty ones take them away. Splits are drawn
            from the labels as they were, so that no correction moves a product from test to train.
        span: Which delivery of data it is.
        earlier: Spans that came before, in their order, all of them each time. What a product
            or nearly the same one was used for, it is used for again.
        rehearse: How many of their training rows are learned again: a share up to 1, else a
            number of rows.
        rows_per_shard: Rows of the table, of whatever split, that a shard is written from.
        exact_rows: Up to so many rows, near-duplicates are found by comparing all with all and
            splits are drawn as by `taxofuse run`; beyond, see `row_keys` and `deal`.
    """

    table: str
    label: tuple[str, ...] = ()
    label_separator: str = ""
    ignore: tuple[str, ...] = ()
    use: tuple[str, ...] = ()
    columns: Mapping[str, str] = field(default_factory=dict)
    text: str = "joined"
    split: str = ""
    fractions: tuple[float, float, float] = (0.8, 0.1, 0.1)
    seed: int = 0
    auxiliary: tuple[str, ...] = ()
    unlabeled: str = ""
    corrections: str = ""
    span: int = 0
    earlier: tuple[int, ...] = ()
    rehearse: float = 0.0
    rows_per_shard: int = 2000
    exact_rows: int = 50_000

    def __post_init__(self) -> None:
        for item in fields(self):  # JSON has no tuples
            if isinstance(value := getattr(self, item.name), list):
                object.__setattr__(self, item.name, tuple(value))
        for name, least in (("rows_per_shard", 1), ("exact_rows", 0), ("span", 0), ("rehearse", 0)):
            if not getattr(self, name) >= least:
                refuse(name, f"must be at least {least}", getattr(self, name))
        if self.earlier and not has_spans(self.table):
            refuse("table", "must have {SPAN} in it where there are earlier spans", self.table)
        if self.span in self.earlier or len(set(self.earlier)) < len(self.earlier):
            refuse("earlier", f"must be other spans than {self.span}, each once", self.earlier)
        if self.rehearse and not self.earlier:
            refuse("rehearse", "needs `earlier`, the spans to learn from again", self.rehearse)
        self.data_config()

    def data_config(self) -> DataConfig:
        """Returns how the table is read.

        Raises:
            ValueError: where a setting does not fit.
        """
        return DataConfig(
            table=self.table,
            label=self.label,
            label_separator=self.label_separator,
            ignore=self.ignore,
            use=self.use,
            columns=self.columns,
            text=self.text,
            split=self.split,
            fractions=self.fractions,
            seed=self.seed,
        )


def _reads(parameters: Parameters) -> list[Path]:
    from components.sources.files_read import files_read

    tables = [(parameters.table, span) for span in (parameters.span, *parameters.earlier)]
    if parameters.unlabeled:
        tables.append((parameters.unlabeled, parameters.span))
    files = [
        file
        for table, span in tables
        for file in files_read(table, span, parameters.columns, parameters.ignore)
    ]
    if parameters.corrections:
        files.append(Path(parameters.corrections))
    return list(dict.fromkeys(files))


COMPONENT = Component(
    name="ExampleGen",
    package=__package__,
    inputs={},
    outputs={"examples": EXAMPLES},
    parameters=Parameters,
    reads=_reads,
)

"""Answers all products of examples or of a table."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from components.blessing import is_blessed
from components.bulk_inferrer.answer_shard import answer_shard
from components.bulk_inferrer.component import Parameters
from components.examples import ExamplesInfo, shard_paths
from components.links import link_tree
from components.parts import write_part
from components.shard_answers import describe_model, find_kinds
from components.shards import run_shards
from components.sources.open_source import open_source
from trainer.answering import check_columns
from trainer.artefact import ModelCard, find_export
from trainer.data.examples import row_ids
from trainer.data.table import Table
from trainer.inputs import columns_read

_NAME = "predictions-{:05d}-of-{:05d}.parquet"


def execute(
    inputs: Mapping[str, Path | None],
    outputs: Mapping[str, Path],
    parameters: Parameters,
    scratch: Path,
) -> dict[str, dict[str, Any]]:
    """Writes the answers; see `components.component`.

    Of a table they stand in `predictions-*.parquet`, of examples in `Split-NAME/` of each split,
    in the order of the products. Where a blessing is given and says no, nothing is answered.
    """
    for name in ("model_blessing", "infra_blessing"):
        blessing = inputs.get(name)
        if blessing is not None and not is_blessed(blessing):
            print(f"BulkInferrer: nothing is answered, by the {name}", file=sys.stderr)
            return {"inference_result": {"empty": True}}
    model, examples = inputs["model"], inputs.get("examples")
    assert model is not None
    card = ModelCard.load(find_export(model))
    made = scratch / "answers"
    if parameters.table:
        specs, kinds = _cut(card, parameters, scratch / "parts", made)
    elif examples is not None:
        specs, kinds = _find(card, examples, parameters, made)
    else:
        raise ValueError("BulkInferrer needs the input `examples`, or the parameter `table`.")
    shared = {
        **describe_model(model),
        "kinds": kinds,
        "batch_size": parameters.batch_size,
        "sure": parameters.sure,
    }
    found = list(run_shards("Answering", answer_shard, specs, shared, scratch / "notes"))
    for spec in specs:
        path = Path(spec["out"])
        link_tree(path, outputs["inference_result"] / path.relative_to(made))
    totals = {name: sum(of[name] for of in found) for name in ("rows", "problems")}
    return {"inference_result": totals}


def _cut(
    card: ModelCard, parameters: Parameters, parts: Path, made: Path
) -> tuple[list[dict[str, str]], dict[str, str]]:
    """Cuts a table into parts; returns their specs and the kinds of their columns."""
    specs: list[dict[str, str]] = []
    kinds = find_kinds(card, columns_read(card.inputs))
    found: dict[str, None] = {}
    row = 0
    for table in open_source(parameters.table, parameters.span).tables(parameters.rows_per_shard):
        # TFRecords have no columns: those of some rows are what any of them has.
        found |= dict.fromkeys(table.frame.columns)
        ids = row_ids(table)
        if "id" not in table.frame.columns:
            ids = [str(row + place) for place in range(len(ids))]
        part = parts / f"{len(specs):06d}.parquet"
        write_part(part, table, kinds, ids, row)
        specs.append({"part": str(part), "folder": str(table.folder)})
        row += len(ids)
    check_columns(card, Table(pd.DataFrame(columns=list(found)), Path()))
    kinds = find_kinds(card, found)
    for index, spec in enumerate(specs):
        spec["out"] = str(made / _NAME.format(index, len(specs)))
    return specs, kinds


def _find(
    card: ModelCard, examples: Path, parameters: Parameters, made: Path
) -> tuple[list[dict[str, str]], dict[str, str]]:
    """Returns the specs of the shards of examples, and the kinds of their columns."""
    info = ExamplesInfo.read(examples)
    specs = []
    for split in parameters.splits or info.split_names:
        paths = shard_paths(examples, split)
        for index, path in enumerate(paths):
            out = made / f"Split-{split}" / _NAME.format(index, len(paths))
            specs.append({"shard": str(path), "out": str(out)})
    kinds = find_kinds(card, info.kinds)
    if not kinds:
        raise ValueError(
            "The examples have none of the columns that this model reads. "
            f"Expected some of {columns_read(card.inputs)}. Received: {list(info.kinds)}."
        )
    return specs, kinds

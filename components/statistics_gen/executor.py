"""Writes the statistics of examples."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from tensorflow_metadata.proto.v0 import statistics_pb2

from components.component import NoParameters
from components.examples import ExamplesInfo, shard_paths
from components.shards import run_shards
from components.statistics.contents import FILE, write_contents
from components.statistics.files import (
    NEW_ROWS,
    read_statistics,
    split_folder,
    write_statistics,
)
from components.statistics.split_summary import SplitSummary
from components.statistics_gen.page import write_statistics_page
from components.statistics_gen.shard import load_summary, share, summarize

_TRAIN = "train"


def execute(
    inputs: Mapping[str, Path],
    outputs: Mapping[str, Path],
    parameters: NoParameters,
    scratch: Path,
) -> None:
    """Writes `Split-*` of every split, those without rows too, and `statistics.html`.

    Where rows of earlier spans are learned again, also statistics of the training rows without
    them: beside many old rows, what is wrong with the new ones would not be seen.
    """
    del parameters
    folder = outputs["statistics"]
    info = ExamplesInfo.read(inputs["examples"])
    specs = [
        {"split": split, "path": str(path)}
        for split in info.rows
        for path in shard_paths(inputs["examples"], split)
    ]
    again = {str(path) for path in _find_rehearsed(inputs["examples"], info)}
    merged = {split: SplitSummary(info.columns, info.label) for split in info.rows}
    rehearsed = SplitSummary(info.columns, info.label)
    returned = run_shards(
        "Looking at the examples", summarize, specs, share(info), scratch / "shards"
    )
    for spec, one in zip(specs, returned, strict=True):
        of = rehearsed if spec["path"] in again else merged[spec["split"]]
        of.merge(load_summary(one))
    if again:
        _write(folder / NEW_ROWS, _TRAIN, merged[_TRAIN])
        merged[_TRAIN].merge(rehearsed)
    for split, summary in merged.items():
        _write(folder, split, summary)
        write_contents(split_folder(folder, split) / FILE, summary.contents())
    write_statistics_page(folder / "statistics.html", read_statistics(folder))


def _find_rehearsed(examples: Path, info: ExamplesInfo) -> list[Path]:
    """Returns the shards with rows of earlier spans."""
    if not info.rehearsed:
        return []
    return shard_paths(examples, _TRAIN)[-info.rehearsed :]


def _write(folder: Path, split: str, summary: SplitSummary) -> None:
    dataset = statistics_pb2.DatasetFeatureStatistics()
    summary.write(dataset, split)
    write_statistics(folder, dataset, summary.records())

"""Writes the statistics of examples."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from tensorflow_metadata.proto.v0 import statistics_pb2

from components.component import NoParameters
from components.examples import ExamplesInfo, shard_paths
from components.shards import run_shards
from components.statistics.contents import FILE, write_contents
from components.statistics.files import read_statistics, split_folder, write_statistics
from components.statistics.split_summary import SplitSummary
from components.statistics_gen.page import write_statistics_page
from components.statistics_gen.shard import load_summary, share, summarize


def execute(
    inputs: Mapping[str, Path],
    outputs: Mapping[str, Path],
    parameters: NoParameters,
    scratch: Path,
) -> None:
    """Writes `Split-*` of every split, those without rows too, and `statistics.html`."""
    del parameters
    folder = outputs["statistics"]
    info = ExamplesInfo.read(inputs["examples"])
    specs = [
        {"split": split, "path": str(path)}
        for split in info.rows
        for path in shard_paths(inputs["examples"], split)
    ]
    merged = {split: SplitSummary(info.columns, info.label) for split in info.rows}
    returned = run_shards(
        "Looking at the examples", summarize, specs, share(info), scratch / "shards"
    )
    for spec, one in zip(specs, returned, strict=True):
        merged[spec["split"]].merge(load_summary(one))
    for split, summary in merged.items():
        dataset = statistics_pb2.DatasetFeatureStatistics()
        summary.write(dataset, split)
        write_statistics(folder, dataset, summary.records())
        write_contents(split_folder(folder, split) / FILE, summary.contents())
    write_statistics_page(folder / "statistics.html", read_statistics(folder))

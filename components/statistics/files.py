"""An artifact of statistics: `Split-NAME/FeatureStats.pb` and what belongs to it.

    Split-train/FeatureStats.pb     DatasetFeatureStatisticsList with one dataset
    Split-train/Records.json        records to look at, by column
    Split-train/Contents.parquet    hashes of pictures and texts by record
    New-rows/Split-train/...        the first two, without rows of earlier spans
    statistics.html

All but the first are ours; statistics that others have written do without them.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from google.protobuf.message import DecodeError
from tensorflow_metadata.proto.v0 import statistics_pb2

from trainer.data.splits import SPLITS
from trainer.files import new_file, write_json

FEATURE_STATS, RECORDS = "FeatureStats.pb", "Records.json"
NEW_ROWS = "New-rows"
_PREFIX = "Split-"


def write_statistics(folder: Path, dataset: Any, records: dict[str, Any]) -> None:
    """Writes the statistics of a split.

    Args:
        folder: Of the artifact.
        dataset: `DatasetFeatureStatistics`; its name is that of the split.
        records: By column.
    """
    own = split_folder(folder, dataset.name)
    listed = statistics_pb2.DatasetFeatureStatisticsList(datasets=[dataset])
    with new_file(own / FEATURE_STATS) as temporary:
        temporary.write_bytes(listed.SerializeToString(deterministic=True))
    write_json(own / RECORDS, records)


def read_statistics(folder: Path) -> dict[str, Any]:
    """Returns a `DatasetFeatureStatistics` by split, that for training first.

    Raises:
        FileNotFoundError: if there are none.
        ValueError: naming the file, if it holds no statistics of one dataset.
    """
    found = {}
    for path in sorted(folder.glob(f"{_PREFIX}*/{FEATURE_STATS}"), key=_order):
        listed = statistics_pb2.DatasetFeatureStatisticsList()
        try:
            listed.ParseFromString(path.read_bytes())
        except DecodeError as error:
            raise ValueError(f"No statistics can be read from {path}: {error}") from error
        if len(listed.datasets) != 1:
            raise ValueError(
                f"Statistics of a split have one dataset; slices are not read. "
                f"Received: {len(listed.datasets)} in {path}."
            )
        found[_split(path)] = listed.datasets[0]
    if not found:
        raise FileNotFoundError(
            f"No statistics at {folder.absolute()}: there is no {_PREFIX}*/{FEATURE_STATS}."
        )
    return found


def read_new_statistics(folder: Path) -> dict[str, Any]:
    """Returns what `read_statistics` does, without rows of earlier spans that are learned again."""
    found = read_statistics(folder)
    new = folder / NEW_ROWS
    return found | (read_statistics(new) if new.is_dir() else {})


def read_records(folder: Path, split: str) -> dict[str, Any]:
    """Returns records by column; nothing where none were written."""
    path = split_folder(folder, split) / RECORDS
    return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}


def split_folder(folder: Path, split: str) -> Path:
    """Returns the folder of a split."""
    return folder / f"{_PREFIX}{split}"


def _split(path: Path) -> str:
    return path.parent.name.removeprefix(_PREFIX)


def _order(path: Path) -> tuple[int, str]:
    split = _split(path)
    return (SPLITS.index(split) if split in SPLITS else len(SPLITS), split)

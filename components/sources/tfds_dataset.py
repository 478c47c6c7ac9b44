"""Products of a data set of TensorFlow Datasets."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from components.sources.source import Source
from components.sources.tfrecord_files import as_cell
from trainer.data.splits import SPLIT_NAMES
from trainer.data.table import Table


class TFDSDataset(Source):
    """Rows of a data set, split after split: a column for each feature of one value.

    Classes are named, pictures stay encoded. The column `split` says the splits of a data set
    that has several which we know. The id is the feature `id`, or TensorFlow Datasets' own.

    Args:
        name: As `tfds.builder` takes it, `NAME`, `NAME/CONFIG` or `NAME/CONFIG:VERSION`. It is
            prepared where it is not, in `TFDS_DATA_DIR` or `~/tensorflow_datasets`.
    """

    def __init__(self, name: str) -> None:
        self._name = name

    @property
    def files(self) -> list[Path]:
        root = os.environ.get("TFDS_DATA_DIR") or "~/tensorflow_datasets"
        return [Path(root).expanduser() / self._name.split(":")[0]]

    def tables(self, rows: int) -> Iterator[Table]:
        records = self._records()
        first = True
        while (some := list(islice(records, rows))) or first:
            yield Table(pd.DataFrame(some, dtype=object), Path.cwd())
            first = False

    def _find_prepared(self) -> Path | None:
        """Returns the folder of the version asked for, or of the newest."""
        version = self._name.partition(":")[2]
        found = [path.parent for path in self.files[0].glob(f"{version or '*'}/dataset_info.json")]
        return max(found, key=lambda path: [int(n) for n in path.name.split(".")], default=None)

    def _records(self) -> Iterator[dict[str, Any]]:
        try:
            import tensorflow_datasets as tfds
        except ImportError as error:
            raise ValueError(
                "tfds:... needs TensorFlow Datasets. Install it with `pip install taxofuse[tfds]`."
            ) from error
        try:
            prepared = self._find_prepared()
            if prepared:  # also where the code that made it is not known here
                builder = tfds.builder_from_directory(prepared)
            else:
                builder = tfds.builder(self._name)
                builder.download_and_prepare()
        except Exception as error:
            raise ValueError(f"tfds:{self._name} cannot be prepared: {error}") from error
        features = builder.info.features
        decoders = {
            name: tfds.decode.SkipDecoding()
            for name, feature in features.items()
            if isinstance(feature, tfds.features.Image)
        }
        known = [split for split in builder.info.splits if split.lower() in SPLIT_NAMES]
        splits = known if len(known) > 1 else list(builder.info.splits)
        if left_out := sorted(set(builder.info.splits) - set(splits)):
            print(f"tfds:{self._name}: splits left out: {', '.join(left_out)}", file=sys.stderr)
        for split in splits:
            data = builder.as_dataset(
                split=split,
                decoders=decoders,
                read_config=tfds.ReadConfig(add_tfds_id=True, interleave_cycle_length=1),
            )
            for example in data.as_numpy_iterator():
                row = {"id": as_cell(example.pop("tfds_id"))}
                for name, value in example.items():
                    if isinstance(value, bytes | np.generic):
                        row[name] = _read(features[name], value)
                if len(known) > 1:
                    row["split"] = split.lower()
                yield row


def _read(feature: Any, value: Any) -> Any:
    if hasattr(feature, "int2str"):
        return feature.int2str(value) if value >= 0 else None  # -1: not told
    return as_cell(value.item() if isinstance(value, np.generic) else value)

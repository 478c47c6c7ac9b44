"""Which rows of a table a model has learned from."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from trainer.data.examples import read_examples, row_ids
from trainer.data.table import Table
from trainer.inputs import InputSpec

TRAINED_ROWS_FILE = "trained_rows.npy"
"""In `assets.extra/` of an export: `digest_rows` of the rows that the weights have seen."""


def digest_rows(table: Table, inputs: Sequence[InputSpec]) -> np.ndarray:
    """Returns a hash of what the inputs read of each row, uint64 `(rows,)`.

    Contents count: a picture by its bytes, wherever they are kept, a number by its float32.
    """
    digests = []
    for example in read_examples(table, inputs, row_ids(table)):
        digest = hashlib.blake2b(digest_size=8)
        for spec in inputs:
            value = example.values[spec.name]
            content = value if isinstance(value, bytes) else np.float32(value).tobytes()
            digest.update(b"%d:%s" % (len(content), content))
        digests.append(digest.digest())
    return np.frombuffer(b"".join(digests), "<u8")


def was_trained_on(export: Path, table: Table, inputs: Sequence[InputSpec]) -> np.ndarray:
    """Says which rows of a table an exported model has learned from, bool `(rows,)`."""
    path = export / "assets.extra" / TRAINED_ROWS_FILE
    if not path.is_file():  # exported by a version that wrote none
        return np.zeros(len(table.frame), bool)
    return np.isin(digest_rows(table, inputs), np.load(path, allow_pickle=False))

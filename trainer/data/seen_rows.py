"""Which rows of a table a model has learned from."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import numpy as np

from trainer.data.examples import read_examples, row_ids
from trainer.data.table import Table
from trainer.inputs import InputSpec


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

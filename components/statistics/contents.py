"""Which records hold what, as hashes: finds twins without looking at the contents again."""

from __future__ import annotations

from array import array
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from trainer.files import new_file

FILE = "Contents.parquet"


class Contents:
    """A hash of 64 bits for each record that has a content.

    Takes some 100 bytes a record; all else that statistics hold stays small.
    """

    def __init__(self) -> None:
        self._hashes = array("Q")
        self._ids: list[str] = []

    def add(self, digest: int, record_id: str) -> None:
        """Takes in a record."""
        self._hashes.append(digest)
        self._ids.append(record_id)

    def merge(self, other: Contents) -> None:
        """Takes in what another one has."""
        self._hashes.extend(other._hashes)
        self._ids.extend(other._ids)

    @property
    def distinct(self) -> int:
        """Number of different contents."""
        return len(np.unique(self._hashes))

    def arrays(self) -> tuple[np.ndarray, np.ndarray]:
        """Returns hashes and ids, sorted by both."""
        import pyarrow as pa

        # As texts of numpy, all ids would be as long as the longest.
        ids = pa.array(self._ids, pa.string())
        table = pa.table({"hash": np.array(self._hashes, np.uint64), "id": ids})
        table = table.sort_by([("hash", "ascending"), ("id", "ascending")])
        return table["hash"].to_numpy(), table["id"].to_numpy()


def write_contents(path: Path, contents: Mapping[str, Contents]) -> None:
    """Writes contents by name: a row has `content`, `hash` and `id`."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    parts = [
        pa.table(
            {
                "content": pa.array([name] * len(hashes), pa.string()),
                "hash": pa.array(hashes, pa.uint64()),
                "id": pa.array(ids, pa.string()),
            }
        )
        for name, (hashes, ids) in ((name, contents[name].arrays()) for name in sorted(contents))
    ]
    schema = pa.schema({"content": pa.string(), "hash": pa.uint64(), "id": pa.string()})
    with new_file(path) as temporary:
        pq.write_table(pa.concat_tables([schema.empty_table(), *parts]), temporary)


def read_contents(path: Path) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Returns sorted hashes and their ids by content; nothing where there is no file."""
    import pyarrow.compute as pc
    import pyarrow.parquet as pq

    if not path.is_file():
        return {}
    table = pq.read_table(path)
    found = {}
    for name in pc.unique(table["content"]).to_pylist():
        own = table.filter(pc.equal(table["content"], name))
        found[name] = (own["hash"].to_numpy(), own["id"].to_numpy())
    return found

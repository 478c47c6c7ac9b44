"""Products of a folder of pictures, with a folder for each class."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pandas as pd

from components.sources.source import Source
from trainer.data.labels import LABEL_SEPARATOR
from trainer.data.pictures import SUFFIXES
from trainer.data.table import Table


class PictureFolder(Source):
    """A row for each picture: `id` and `image`, its path; `label`, the folders it is in.

    Of `shoes/boots/7.jpg` the label is `shoes > boots`; a picture beside the folders of the
    classes has none.

    Args:
        folder: Path.

    Raises:
        ValueError: if there is no picture.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder.absolute()
        found = (path.relative_to(self._folder) for path in self._folder.rglob("*"))
        self._paths = sorted(
            path for path in found if path.suffix.lower() in SUFFIXES and not _is_hidden(path)
        )
        if not self._paths:
            raise ValueError(
                "A folder of products has a folder of pictures for each class, CLASS/x.jpg. "
                f"Received: {self._folder} without a picture. Tables are given as files, several "
                "of them as a pattern such as products-*.parquet."
            )

    @property
    def files(self) -> list[Path]:
        return [self._folder]

    def tables(self, rows: int) -> Iterator[Table]:
        for start in range(0, len(self._paths), rows):
            paths = self._paths[start : start + rows]
            cells = {
                "id": [path.as_posix() for path in paths],
                "image": [path.as_posix() for path in paths],
                "label": [LABEL_SEPARATOR.join(path.parent.parts) for path in paths],
            }
            yield Table(pd.DataFrame(cells, dtype=str), self._folder)


def _is_hidden(path: Path) -> bool:
    return any(part.startswith(".") for part in path.parts)

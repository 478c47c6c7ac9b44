"""Files that are the same whenever the same is written: no times, addresses or drawn names."""

from __future__ import annotations

import json
import os
import zipfile
from pathlib import Path
from typing import Any

_EARLIEST = (1980, 1, 1, 0, 0, 0)
_SHARED = "shared_object_id"


def settle_keras_file(path: Path) -> None:
    """Rewrites a `.keras` file without the time at which it was saved.

    Keras names objects that several layers share by their addresses in memory; here they
    are counted.
    """
    temporary = path.with_name(f"{path.name}.settled")
    with zipfile.ZipFile(path) as read, zipfile.ZipFile(temporary, "w") as written:
        for info in read.infolist():
            settled = zipfile.ZipInfo(info.filename, _EARLIEST)
            if info.filename.endswith(".json"):
                content = json.loads(read.read(info))
                content.pop("date_saved", None)
                written.writestr(settled, json.dumps(_count_shared(content)))
            else:
                with read.open(info) as source, written.open(settled, "w", force_zip64=True) as to:
                    while block := source.read(1 << 20):
                        to.write(block)
    os.replace(temporary, path)


def _count_shared(content: Any) -> Any:
    """Returns JSON with shared objects numbered in the order in which they come."""
    numbers: dict[Any, int] = {}

    def settle(value: Any) -> Any:
        if isinstance(value, list):
            return [settle(item) for item in value]
        if not isinstance(value, dict):
            return value
        return {
            key: numbers.setdefault(item, len(numbers) + 1)
            if key == _SHARED and item is not None
            else settle(item)
            for key, item in value.items()
        }

    return settle(content)

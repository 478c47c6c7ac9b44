"""A folder of generated files that appears whole or not at all."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def replaced_folder(path: Path, made_before: set[str]) -> Iterator[Path]:
    """Yields an empty folder that takes the place of `path` when all went well.

    Args:
        path: May exist, if nothing is in it but what was generated.
        made_before: Names in it that are ours to replace.

    Raises:
        FileExistsError: if something else is there; nothing is touched.
    """
    _refuse_foreign(path, made_before)
    path.parent.mkdir(parents=True, exist_ok=True)
    _remove_leftovers(path)
    new = path.with_name(f".partial-{os.getpid()}-{path.name}")
    old = path.with_name(f"{new.name}.old")
    new.mkdir()
    try:
        yield new
        if path.exists():
            # Removed in place, a process killed meanwhile would leave a ruin under the name.
            os.replace(path, old)
        os.replace(new, path)
    finally:
        if old.exists() and not path.exists():
            os.replace(old, path)
        shutil.rmtree(new, ignore_errors=True)
        shutil.rmtree(old, ignore_errors=True)


def _refuse_foreign(path: Path, made_before: set[str]) -> None:
    if not path.exists():
        return
    if not path.is_dir():
        raise FileExistsError(f"{path.absolute()} is a file. Expected a folder to write.")
    foreign = sorted(child.name for child in path.iterdir() if child.name not in made_before)
    if foreign:
        raise FileExistsError(
            f"{path.absolute()} has files that `taxofuse deploy` did not write and would remove: "
            f"{foreign}. Move them, or give another folder to --out."
        )


def _remove_leftovers(path: Path) -> None:
    """Removes what killed processes left of `path`; brings back what one had set aside."""
    name = re.compile(rf"\.partial-\d+-{re.escape(path.name)}(\.old)?")
    for leftover in sorted(path.parent.glob(".partial-*")):
        if not name.fullmatch(leftover.name):
            continue
        if leftover.name.endswith(".old") and not path.exists():
            os.replace(leftover, path)
        else:
            shutil.rmtree(leftover, ignore_errors=True)

"""Files at a second place without a second copy, where the file system can."""

from __future__ import annotations

import filecmp
import os
import shutil
from pathlib import Path

from trainer.files import new_file, new_folder

_SMALL = 2**20


def link_tree(source: Path, target: Path) -> None:
    """Lays out a file, or the files of a folder, at another place; what is there stays.

    Both places then share their contents: neither may be written in place.
    """
    files = [path for path in source.rglob("*") if path.is_file()] if source.is_dir() else [source]
    for path in files:
        to = target / path.relative_to(source) if source.is_dir() else target
        if to.exists():
            continue
        to.parent.mkdir(parents=True, exist_ok=True)
        try:
            os.link(path, to)
        except OSError:  # another file system, or one without links
            with new_file(to) as temporary:
                shutil.copyfile(path, temporary)


def lay_out(source: Path, target: Path) -> None:
    """Puts a file or a folder in the place of what is there, whole; nothing where it is equal.

    As by `link_tree`, neither place may be written in place; but a small file is a copy, because
    people may edit it.
    """
    if _is_equal(source, target):
        return
    with (new_folder if source.is_dir() else new_file)(target) as temporary:
        if source.is_file() and source.stat().st_size < _SMALL:
            shutil.copyfile(source, temporary)
        else:
            link_tree(source, temporary)


def _is_equal(source: Path, target: Path) -> bool:
    if source.is_file():
        return target.is_file() and filecmp.cmp(source, target)
    files, others = (
        {path.relative_to(folder): path for path in folder.rglob("*") if path.is_file()}
        for folder in (source, target)
    )
    return (
        target.is_dir()
        and files.keys() == others.keys()
        and all(filecmp.cmp(files[name], others[name]) for name in files)
    )

"""Files and folders that appear whole or not at all."""

from __future__ import annotations

import json
import os
import re
import shutil
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any


def write_text(path: Path, text: str) -> None:
    """Writes a UTF-8 file; readers see the old content or all of the new."""
    with new_file(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def write_json(path: Path, value: Any) -> None:
    """Writes a value as indented JSON, whole or not at all."""
    write_text(path, json.dumps(value, indent=2, ensure_ascii=False) + "\n")


@contextmanager
def new_file(path: Path) -> Iterator[Path]:
    """Yields the path of a temporary file that is renamed to `path` at the end."""
    path.parent.mkdir(parents=True, exist_ok=True)
    _remove_leftovers(path)
    # The suffix stays last: writers such as Keras choose the format by it.
    temporary = path.with_name(f".partial-{os.getpid()}-{path.name}")
    try:
        yield temporary
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


@contextmanager
def new_folder(path: Path) -> Iterator[Path]:
    """Yields a temporary folder that takes the place of `path` at the end."""
    path.parent.mkdir(parents=True, exist_ok=True)
    _remove_leftovers(path)
    temporary = path.with_name(f".partial-{os.getpid()}-{path.name}")
    old = path.with_name(f"{temporary.name}.old")
    temporary.mkdir()
    try:
        yield temporary
        if path.exists():
            # Removed in place, a process killed meanwhile would leave a ruin under the name.
            os.replace(path, old)
        os.replace(temporary, path)
    finally:
        if old.exists() and not path.exists():
            os.replace(old, path)
        shutil.rmtree(temporary, ignore_errors=True)
        shutil.rmtree(old, ignore_errors=True)


def file_state(path: Path) -> str:
    """Says what changes with a file's content, its size and time; `absent` where there is none."""
    try:
        state = path.stat()
    except (OSError, ValueError):  # not there; too long or unfit for a path
        return "absent"
    return f"{state.st_size}:{state.st_mtime_ns}" if stat.S_ISREG(state.st_mode) else "absent"


def remove_folder(path: Path) -> None:
    """Removes a folder; a process killed meanwhile leaves no half of it under its name."""
    _remove_leftovers(path)
    if path.exists():
        old = path.with_name(f".partial-{os.getpid()}-{path.name}.old")
        os.replace(path, old)
        shutil.rmtree(old, ignore_errors=True)


def _remove_leftovers(path: Path) -> None:
    """Removes what killed processes left of `path`."""
    name = re.compile(rf"\.partial-\d+-{re.escape(path.name)}(\.old)?")
    for leftover in path.parent.glob(".partial-*"):
        if not name.fullmatch(leftover.name):
            continue
        if leftover.is_dir():
            shutil.rmtree(leftover, ignore_errors=True)
        else:
            leftover.unlink(missing_ok=True)

"""Picture files from paths, as tables name them."""

from __future__ import annotations

import re
from pathlib import Path

from serving.edge.pictures.decode import MAX_FILE_BYTES
from serving.edge.pictures.standardize import PictureError

SUFFIXES = (
    *(".jpg", ".jpeg", ".png", ".gif", ".webp", ".tif", ".tiff", ".bmp", ".avif"),
    *(".jpe", ".jfif", ".mpo", ".jp2", ".j2k", ".jpx", ".ppm", ".pgm", ".tga"),
)
"""Of files that are taken for pictures where a folder is given."""


def load_file(text: str, folder: Path) -> bytes:
    """Returns the content of a file that a cell names.

    Args:
        text: A path, absolute or relative to the folder; perhaps with backslashes.
        folder: Of the table.

    Raises:
        PictureError: if there is none that can be read; ends with the path.
    """
    shown = show(text)
    if re.match(r"\w[\w+.-]+://|data:", text):
        raise PictureError(f"{shown} is a URL; give the path of a file")
    return load_path(folder / text.replace("\\", "/"), shown)


def load_path(path: Path, shown: str) -> bytes:
    """Returns the content of a file.

    Args:
        path: Path.
        shown: What messages call it.

    Raises:
        PictureError: as `load_file`.
    """
    try:
        if not path.exists():
            raise PictureError(f"file not found: {shown}")
        if not path.is_file():
            raise PictureError(f"not a file: {shown}")
        # Before it is read, which may be more than the memory holds.
        if path.stat().st_size > MAX_FILE_BYTES:
            raise PictureError(f"larger than {MAX_FILE_BYTES // 2**20} MB: {shown}")
        return path.read_bytes()
    except OSError as error:
        raise PictureError(f"cannot be read ({error.strerror}): {shown}") from error
    except PictureError:
        raise
    except ValueError as error:  # A path cannot hold every character.
        raise PictureError(f"not a path: {shown}") from error


def show(text: str) -> str:
    """Returns a path fit for one line of a message."""
    printable = "".join(of if of.isprintable() else "?" for of in text[:81])
    return printable if len(printable) <= 80 else f"{printable[:77]}..."

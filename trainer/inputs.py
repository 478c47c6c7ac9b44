"""What the model is told about a product: its inputs, named and typed."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

MAX_PIXELS = 64_000_000
"""Pictures of more are not decoded: a few kilobytes can hold any number."""
MAX_CHARACTERS = 20_000
"""The rest of a longer text is cut off: no encoder reads as far."""


@dataclass(frozen=True)
class InputSpec:
    """One raw input of the model and of the SavedModel's signature.

    Args:
        name: str. Name in the signature, such as `image_bytes`, `text`, `price`.
        kind: str. A registered modality.
        columns: Columns of the table that it is read from, in order.
    """

    name: str
    kind: str
    columns: tuple[str, ...]


@dataclass(frozen=True)
class Limits:
    """How much of a raw value an exported model reads.

    Args:
        picture_bytes: int. Larger files count as absent.
        picture_pixels: int. So do pictures of more, whatever their file has.
        text_characters: int. The rest of a longer text is cut off.
    """

    picture_bytes: int
    picture_pixels: int
    text_characters: int


def columns_read(inputs: Iterable[InputSpec]) -> list[str]:
    """Returns the columns that inputs read, each once, in order."""
    return list(dict.fromkeys(name for spec in inputs for name in spec.columns))

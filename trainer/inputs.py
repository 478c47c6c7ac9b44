"""What the model is told about a product: its inputs, named and typed."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


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


def columns_read(inputs: Iterable[InputSpec]) -> list[str]:
    """Returns the columns that inputs read, each once, in order."""
    return list(dict.fromkeys(name for spec in inputs for name in spec.columns))

"""A product as training sees it, as the report shows it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class ProductView:
    """A product as it is in the table, or a changed copy of it.

    Args:
        text: str. Its text; long ones are cut.
        picture: bytes. The picture file, `b""` where there is none.
        details: Its other values, such as `{"price": "1299"}`.
    """

    text: str = ""
    picture: bytes = field(default=b"", repr=False)
    details: Mapping[str, str] = field(default_factory=dict)

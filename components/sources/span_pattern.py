"""Tables of which there is one each span."""

from __future__ import annotations

import re

_SPAN = re.compile(r"\{SPAN(?::(\d+))?\}")


def has_spans(table: str) -> bool:
    """Says whether `{SPAN}` or `{SPAN:DIGITS}` is in the name of a table."""
    return _SPAN.search(table) is not None


def fill_span(table: str, span: int) -> str:
    """Returns the name of a span's table; `{SPAN:3}` has zeros before it to make three digits."""
    return _SPAN.sub(lambda found: f"{span:0{found[1] or 0}d}", table)

"""Tables of which there is one each span."""

from __future__ import annotations

import fnmatch
import glob
import re

_SPAN = re.compile(r"\{SPAN(?::(\d+))?\}")


def has_spans(table: str) -> bool:
    """Says whether `{SPAN}` or `{SPAN:DIGITS}` is in the name of a table."""
    return _SPAN.search(table) is not None


def fill_span(table: str, span: int) -> str:
    """Returns the name of a span's table; `{SPAN:3}` has zeros before it to make three digits."""
    return _SPAN.sub(lambda found: f"{span:0{found[1] or 0}d}", table)


def find_spans(table: str) -> list[int]:
    """Returns the numbers of the spans whose tables are there, in order.

    Args:
        table: Name with a place for the number; may be a pattern of several files.
    """
    found: set[int] = set()
    for pattern in (table, glob.escape(table)):  # brackets may be part of a name
        for name in glob.iglob(_SPAN.sub("*", pattern), recursive=True):
            numbers = map(int, re.findall(r"\d+", name))
            found |= {n for n in numbers if fnmatch.fnmatchcase(name, fill_span(pattern, n))}
    return sorted(found)

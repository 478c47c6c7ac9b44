"""Finds records of the training split that stand in another split, too."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping

import numpy as np

from components.example_validator.finding import NUM_IDS, Finding, Kind, Severity
from components.statistics.split_summary import LOOK, TEXTS

Contents = Mapping[str, tuple[np.ndarray, np.ndarray]]
"""Sorted hashes and their ids, by what is hashed; see `components.statistics.contents`."""
_NUM_PAIRS = NUM_IDS // 2


def find_shared_records(
    split: str, train: Contents, other: Contents, rows: int, max_shared: float
) -> Iterator[Finding]:
    """Yields what a split shares with the training split: what it measures then is too good.

    Args:
        split: str. The other split.
        train: What the records of the training split hold.
        other: What those of the other hold.
        rows: Of the other split.
        max_shared: Share of them that may be shared.
    """
    told: set[tuple[str, str]] = set()
    # Files come before looks: what is the same file is not told again.
    for content in sorted(other, key=lambda name: name.startswith(LOOK)):
        if content not in train:
            continue
        similar, column = content.startswith(LOOK), content.partition(" ")[2]
        pairs = shared_pairs(train[content], other[content])
        pairs = [pair for pair in pairs if not similar or pair not in told]
        told.update(pairs)
        count = len({record for _, record in pairs})
        if count <= max_shared * rows:
            continue
        what = "words" if content == TEXTS else f"picture in {column!r}"
        shown = ", ".join(f"{own!r} and {twin!r}" for twin, own in pairs[:_NUM_PAIRS])
        yield Finding(
            split,
            "" if content == TEXTS else column,
            Kind.SIMILAR_RECORDS if similar else Kind.SHARED_RECORDS,
            Severity.WARNING if similar else Severity.ERROR,
            f"{count} of {rows} records have {'nearly ' if similar else ''}the same {what} as a "
            f"record of train: {shown}{' ...' if len(pairs) > _NUM_PAIRS else ''}.",
            ids=[record for twin, own in pairs[:_NUM_PAIRS] for record in (own, twin)],
            figures={"records": count, "pairs": [[own, twin] for twin, own in pairs[:NUM_IDS]]},
        )


def shared_pairs(
    train: tuple[np.ndarray, np.ndarray], other: tuple[np.ndarray, np.ndarray]
) -> list[tuple[str, str]]:
    """Returns `(id in train, id in the other split)` of each record of the other split.

    What very many records share, more than the root of their number and more than 10, is a
    placeholder or boilerplate and no evidence.
    """
    hashes, ids = train
    other_hashes, other_ids = other
    max_shared = max(10, math.isqrt(len(hashes) + len(other_hashes)))
    first = np.searchsorted(hashes, other_hashes, side="left")
    twins = np.searchsorted(hashes, other_hashes, side="right") - first
    own = np.searchsorted(other_hashes, other_hashes, side="right") - np.searchsorted(
        other_hashes, other_hashes, side="left"
    )
    found = np.flatnonzero((twins > 0) & (twins + own <= max_shared))
    return sorted((str(ids[first[place]]), str(other_ids[place])) for place in found)

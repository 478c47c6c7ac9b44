"""JPEGs whose few bytes take long to decode: the same rule as `trainer.layers.picture_header`."""

from __future__ import annotations

JPEG = b"\xff\xd8\xff"
MAX_SCANS = 100  # Progressive files have about ten.
SAFE_WORK = 10**10
_START_OF_SCAN = b"\xff\xda"


def has_too_many_scans(encoded: bytes, pixels: int) -> bool:
    """Says whether a JPEG goes over its whole picture again and again for a few bytes each.

    Args:
        encoded: bytes. A file of any format.
        pixels: int. How many its header claims. Scans are counted only where
            decoding could take more than about a second.
    """
    if not encoded.startswith(JPEG) or pixels * len(encoded) <= SAFE_WORK:
        return False
    return encoded.count(_START_OF_SCAN) >= MAX_SCANS

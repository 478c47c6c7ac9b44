"""Walks through the parts of a JPEG or PNG file without decoding it, as the trainer does.

Pillow forgives a missing end and stray markers behind the pixels; TensorFlow,
which the network was trained with, does not.
"""

from __future__ import annotations

import re
import zlib

_START, _END, _SCAN = 0xD8, 0xD9, 0xDA
_STANDALONE = {0x01, *range(0xD0, 0xD8)}
# Arithmetic coding, which not every decoder has.
_ARITHMETIC = {*range(0xC9, 0xCC), *range(0xCD, 0xD0)}
# Within a scan FF 00 is a data byte, FF D0 ... FF D7 are restarts and FF FF is padding.
_MARKER_IN_SCAN = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]")


def is_whole_jpeg(encoded: bytes) -> bool:
    """Says whether segments follow each other up to the end marker."""
    position = 0
    while position + 1 < len(encoded) and encoded[position] == 0xFF:
        marker = encoded[position + 1]
        position += 2
        if marker == _END:
            return True
        if marker in _ARITHMETIC:
            return False
        if marker == _START or marker in _STANDALONE:
            continue
        position += int.from_bytes(encoded[position : position + 2], "big")
        if marker == _SCAN:
            found = _MARKER_IN_SCAN.search(encoded, position)
            position = found.start() if found else len(encoded)
    return False


def is_whole_png(encoded: bytes) -> bool:
    """Says whether chunks with right checksums follow each other up to `IEND`."""
    position = 8
    while position + 12 <= len(encoded):
        end = position + 8 + int.from_bytes(encoded[position : position + 4], "big")
        if encoded[end : end + 4] != zlib.crc32(encoded[position + 4 : end]).to_bytes(4, "big"):
            return False
        if encoded[position + 4 : position + 8] == b"IEND":
            return True
        position = end + 4
    return False

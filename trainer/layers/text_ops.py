"""Texts as a reader sees them, in graph operations: the same in tf.data and in the export."""

from __future__ import annotations

import numpy as np
import tensorflow as tf

# Signs that are not drawn; joiners stay, which Persian, Indic scripts and emoji need.
_UNSEEN = "[\u00ad\u200b\u200e\u200f\u2060\ufeff]"
# Cyrillic, then Greek letters, above the Latin ones that they look like.
_ALIKE = (
    ("абсԁеһіјӏорԛѕухѵԝкАВСЕНІЈКМОРЅТХУѴԌ", "abcdehijlopqsyxvwkABCEHIJKMOPSTXYVG"),
    ("ανορικυχγΑΒΕΖΗΙΚΜΝΟΡΤΥΧ", "avopikuxyABEZHIKMNOPTYX"),
)
_WIDE = range(0xFF01, 0xFF5F)
"""The full-width forms of ASCII, in its order from `!` to `~`."""
_SPACE = 32


def fold_look_alikes(texts: tf.Tensor) -> tf.Tensor:
    """Writes words that only look Latin in Latin letters.

    Cyrillic and Greek letters are exchanged in words that have Latin ones, too,
    so that texts in these scripts stay as they are; a 1 after a small letter
    becomes an l; full-width forms become ASCII; signs that are not drawn go.

    Args:
        texts: string tensor `(batch,)`, UTF-8.

    Returns:
        The same.

    Reference:
        The confusable characters of Unicode Technical Standard 39, of which
        this table has the letters that most fonts draw alike.
    """
    texts = tf.strings.regex_replace(texts, _UNSEEN, "")
    letters = tf.strings.unicode_decode(texts, "UTF-8")
    points = _look_up(letters.values, _wide())
    is_latin = ((points >= ord("A")) & (points <= ord("Z"))) | (
        (points >= ord("a")) & (points <= ord("z"))
    )
    # A word ends with a space, or with its text.
    words = tf.cumsum(tf.cast(points <= _SPACE, tf.int64)) + letters.value_rowids()
    has_latin = tf.math.segment_max(tf.cast(is_latin, tf.int32), words) > 0
    points = tf.where(tf.gather(has_latin, words), _look_up(points, _alike()), points)
    folded = tf.strings.unicode_encode(letters.with_values(points), "UTF-8")
    return tf.strings.regex_replace(folded, "([a-z])1([^0-9]|$)", r"\1l\2")


def check_texts(values: tf.Tensor, max_characters: int) -> tuple[tf.Tensor, tf.Tensor]:
    """Cuts texts that are too long, and replaces what is no UTF-8.

    Args:
        values: string tensor `(batch,)`, any bytes.
        max_characters: int.

    Returns:
        `(texts, problems)`: UTF-8 of at most so many characters, U+FFFD for each
        broken part; string `(batch,)`, `""` or what was wrong.
    """
    # A character has at most 4 bytes: no more are looked at, however many were sent.
    start = tf.strings.substr(values, 0, 4 * max_characters)
    cut = tf.strings.substr(start, 0, max_characters, unit="UTF8_CHAR")
    is_long = tf.not_equal(tf.strings.length(cut), tf.strings.length(values))
    texts = tf.strings.unicode_transcode(cut, "UTF-8", "UTF-8")
    # The cut by bytes may have left a part of a character at the end, which is no fault.
    is_broken = tf.not_equal(texts, cut)
    told = f"longer than {max_characters:,} characters; the rest was not read"
    problems = tf.where(is_long, told, "")
    return texts, tf.where(is_broken, "not UTF-8; the broken characters were not read", problems)


def _look_up(points: tf.Tensor, table: np.ndarray) -> tf.Tensor:
    """Exchanges code points by a table of all up to its length."""
    return tf.where(
        points < len(table), tf.gather(table, tf.minimum(points, len(table) - 1)), points
    )


def _wide() -> np.ndarray:
    table = np.arange(_WIDE.stop, dtype=np.int32)
    table[_WIDE.start :] = np.arange(ord("!"), ord("~") + 1)
    return table


def _alike() -> np.ndarray:
    pairs = {
        ord(of): ord(to) for alike, latin in _ALIKE for of, to in zip(alike, latin, strict=True)
    }
    table = np.arange(max(pairs) + 1, dtype=np.int32)
    table[list(pairs)] = list(pairs.values())
    return table

"""Misspelled words as the known words that they are like, in graph operations."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import tensorflow as tf

# Shorter words are like too many others.
_SHORTEST = 4
_NONE = 2**31 - 1


class Spelling:
    """Knows some words, and what they are without one of their characters.

    Args:
        words: Known ones, the most frequent first: of several that an unknown
            word is like it is taken for the first.

    Reference:
        Garbe, 2012, "SymSpell", at one edit; words that differ by a character
        at one place and another at a second place can meet, too.
    """

    def __init__(self, words: Sequence[str]) -> None:
        self._words = tf.constant(["", *words], tf.string)
        self._known = _table({word: rank for rank, word in enumerate(words)})
        alike: dict[str, int] = {}
        for rank, word in enumerate(words):
            if len(word) >= _SHORTEST:
                for key in (word, *_without_one(word)):
                    alike.setdefault(key, rank)
        self._alike = _table(alike)

    @property
    def resources(self) -> list[tf.lookup.StaticHashTable]:
        """The tables that an exported graph must carry along."""
        return [self._known, self._alike]

    def correct(self, words: tf.RaggedTensor) -> tf.RaggedTensor:
        """Exchanges unknown words of four characters and more for known ones.

        Two neighbours that make a known word together, where one of them is
        none, become that word. Others differ by one character that is left
        out, put in, exchanged for another or for its neighbour.

        Args:
            words: ragged string tensor `(batch, None)`.

        Returns:
            The same, unknown words that are like no known one as they were.
        """
        words = self._join(words)
        distinct, index = tf.unique(words.values)
        rank = tf.where(self._is_known(distinct), _NONE, self._find_alike(distinct))
        found = tf.gather(self._words, tf.where(rank == _NONE, 0, rank + 1))
        return words.with_values(tf.gather(tf.where(rank == _NONE, distinct, found), index))

    def _is_known(self, words: tf.Tensor) -> tf.Tensor:
        return self._known.lookup(words) != _NONE

    def _join(self, words: tf.RaggedTensor) -> tf.RaggedTensor:
        values, rows = words.values, words.value_rowids()
        known = self._is_known(values)
        pairs = tf.strings.join([values[:-1], values[1:]])
        joins = (rows[:-1] == rows[1:]) & ~(known[:-1] & known[1:]) & self._is_known(pairs)
        # A word goes with one neighbour, the one before it.
        joins &= ~tf.concat([[False], joins[:-1]], axis=0)[: tf.size(joins)]
        values = tf.concat([tf.where(joins, pairs, values[:-1]), values[-1:]], axis=0)
        kept = ~tf.concat([[False], joins], axis=0)[: tf.size(values)]
        return tf.RaggedTensor.from_value_rowids(
            tf.boolean_mask(values, kept), tf.boolean_mask(rows, kept), words.nrows()
        )

    def _find_alike(self, words: tf.Tensor) -> tf.Tensor:
        """Returns int32 `(words,)`: the rank of the known word, or `_NONE`."""
        lengths = tf.strings.length(words, unit="UTF8_CHAR")
        lengths = tf.where(lengths < _SHORTEST, 0, lengths)
        places = tf.ragged.range(lengths)
        whole = tf.gather(words, places.value_rowids())
        place = places.values
        rest = tf.gather(lengths, places.value_rowids()) - place - 1
        without = tf.strings.join(
            [
                tf.strings.substr(whole, tf.zeros_like(place), place, unit="UTF8_CHAR"),
                tf.strings.substr(whole, place + 1, rest, unit="UTF8_CHAR"),
            ]
        )
        ranks = places.with_values(self._alike.lookup(without))
        # Where there are no places, the minimum is the largest int32.
        found = tf.minimum(tf.reduce_min(ranks, axis=1), self._alike.lookup(words))
        return tf.where(lengths == 0, _NONE, found)


def _without_one(word: str) -> Iterable[str]:
    return (word[:at] + word[at + 1 :] for at in range(len(word)))


def _table(ranks: dict[str, int]) -> tf.lookup.StaticHashTable:
    keys = tf.constant(list(ranks) or [""], tf.string)
    values = tf.constant(list(ranks.values()) or [_NONE], tf.int32)
    return tf.lookup.StaticHashTable(tf.lookup.KeyValueTensorInitializer(keys, values), _NONE)

"""The words of a text as a person reads them, and where they stand, in graph operations."""

from __future__ import annotations

from dataclasses import dataclass

import tensorflow as tf

# Unicode's spaces above the control characters.
_SPACES = (0x85, 0xA0, 0x1680, *range(0x2000, 0x200B), 0x2028, 0x2029, 0x202F, 0x205F, 0x3000)
_LAST_CONTROL = 0x20
# Unicode's script Han: written without spaces, and each character says something by itself.
_HAN = (
    (0x2E80, 0x2FDF),
    (0x3005, 0x3007),
    (0x3021, 0x3029),
    (0x3038, 0x303B),
    (0x3400, 0x4DBF),
    (0x4E00, 0x9FFF),
    (0xF900, 0xFAFF),
    (0x20000, 0x323AF),
)
_AROUND = r"^[^\p{L}\p{M}\p{N}]+|[^\p{L}\p{M}\p{N}]+$"


@dataclass(frozen=True)
class Words:
    """The words of texts.

    Args:
        values: string tensor `(batch,)`, the texts.
        texts: ragged string tensor `(batch, None)`, with the punctuation that
            stands beside them.
        starts: ragged int32 tensor `(batch, None)`, first byte in the text.
        characters: ragged int32 tensor `(batch, None)`, first character there.
    """

    values: tf.Tensor
    texts: tf.RaggedTensor
    starts: tf.RaggedTensor
    characters: tf.RaggedTensor

    def of_row(self, row: tf.Tensor) -> Words:
        """Returns those of one text, a batch of 1."""
        return Words(
            self.values[row, None],
            *(of[row : row + 1] for of in (self.texts, self.starts, self.characters)),
        )

    def shown(self) -> tf.RaggedTensor:
        """Returns them without punctuation around; signs that stand alone stay."""
        bare = tf.strings.regex_replace(self.texts.values, _AROUND, "")
        return self.texts.with_values(tf.where(tf.equal(bare, ""), self.texts.values, bare))


def find_words(texts: tf.Tensor) -> Words:
    """Splits texts at spaces; each Chinese character is a word.

    Args:
        texts: string tensor `(batch,)`, UTF-8.
    """
    points, offsets = tf.strings.unicode_decode_with_offsets(texts, "UTF-8")
    rows, point = points.value_rowids(), points.values
    is_space = (point <= _LAST_CONTROL) | tf.reduce_any(point[:, None] == _SPACES, axis=1)
    is_han = tf.zeros_like(is_space)
    for first, last in _HAN:
        is_han |= (point >= first) & (point <= last)
    ends = is_space | is_han
    is_new = tf.concat([[True], ends[:-1] | (rows[1:] != rows[:-1])], axis=0)[: tf.size(point)]
    is_first = ~is_space & (is_new | is_han)
    word_of = tf.cumsum(tf.cast(is_first, tf.int64)) - 1
    letters = tf.RaggedTensor.from_value_rowids(
        tf.boolean_mask(point, ~is_space),
        tf.boolean_mask(word_of, ~is_space),
        nrows=tf.math.count_nonzero(is_first),
        validate=False,
    )
    row_of = tf.boolean_mask(rows, is_first)
    place = tf.ragged.range(points.row_lengths()).values

    def by_row(values: tf.Tensor) -> tf.RaggedTensor:
        return tf.RaggedTensor.from_value_rowids(values, row_of, points.nrows(), validate=False)

    return Words(
        texts,
        by_row(tf.strings.unicode_encode(letters, "UTF-8")),
        by_row(tf.cast(tf.boolean_mask(offsets.values, is_first), tf.int32)),
        by_row(tf.cast(tf.boolean_mask(place, is_first), tf.int32)),
    )


def sum_words(scores: tf.Tensor, places: tf.Tensor, words: Words) -> tf.Tensor:
    """Adds up scores by the words of one text that they are of.

    Args:
        scores: float tensor `(n,)`.
        places: int tensor `(n,)`; scores of -1 are of no word.
        words: Of one text.

    Returns:
        Float tensor `(words,)`.
    """
    return tf.math.unsorted_segment_sum(scores, places, tf.size(words.texts.values))

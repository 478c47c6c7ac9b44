"""Words and characters of a text as n-grams, in graph operations."""

from __future__ import annotations

import tensorflow as tf

_SEPARATORS = r"[^\p{L}\p{M}\p{N}]+"
# Chinese and Japanese are written without spaces: each ideograph and kana is a word of its own.
_UNSPACED = r"([\p{Han}\p{Hiragana}\p{Katakana}])"


def split_words(texts: tf.Tensor, max_characters: int) -> tf.RaggedTensor:
    """Splits texts into lower-case words of letters and digits.

    Args:
        texts: string tensor `(batch,)`, UTF-8.
        max_characters: int. What comes after is not read.

    Returns:
        Ragged string tensor `(batch, None)`; an ideograph is a word.
    """
    texts = tf.strings.unicode_transcode(texts, "UTF-8", "UTF-8")  # replaces broken bytes
    texts = tf.strings.substr(texts, 0, max_characters, unit="UTF8_CHAR")
    texts = tf.strings.lower(texts, encoding="utf-8")
    texts = tf.strings.regex_replace(texts, _UNSPACED, r" \1 ")
    return tf.strings.split(tf.strings.regex_replace(texts, _SEPARATORS, " "))


def word_ngrams(words: tf.RaggedTensor, widths: tuple[int, ...]) -> tf.RaggedTensor:
    """Joins neighbouring words.

    Args:
        words: ragged string tensor `(batch, None)`.
        widths: How many words an n-gram may have.

    Returns:
        Ragged string tensor `(batch, None)`; words of one n-gram are joined by a space.
    """
    return tf.strings.ngrams(words, widths, separator=" ")


def character_ngrams(words: tf.Tensor, widths: tuple[int, ...]) -> tf.RaggedTensor:
    """Cuts words into runs of characters.

    Args:
        words: string tensor `(words,)`.
        widths: How many characters an n-gram may have; the spaces that are
            put around each word count.

    Returns:
        Ragged string tensor `(words, None)`, as scikit-learn's `char_wb`
        analyzer but without the shortened n-grams of words that are shorter
        than a width.
    """
    characters = tf.strings.unicode_split(tf.strings.join([" ", words, " "]), "UTF-8")
    return tf.strings.ngrams(characters, widths, separator="")


def word_term_ids(
    words: tf.RaggedTensor, widths: tuple[int, ...], table: tf.lookup.StaticHashTable
) -> tf.RaggedTensor:
    """Looks up the word n-grams of each row: ragged int64 `(batch, None)`, -1 for unknown."""
    terms = word_ngrams(words, widths)
    return terms.with_values(table.lookup(terms.values))


def character_term_ids(
    words: tf.RaggedTensor, widths: tuple[int, ...], table: tf.lookup.StaticHashTable
) -> tf.RaggedTensor:
    """Looks up the character n-grams of each row: ragged int64 `(batch, None)`.

    A batch repeats its words, so each distinct word is cut only once: less
    than half the time.
    """
    distinct, index = tf.unique(words.values)
    terms = character_ngrams(distinct, widths)
    term_ids = terms.with_values(table.lookup(terms.values))
    return words.with_values(tf.gather(term_ids, index)).merge_dims(1, 2)


def tfidf(term_ids: tf.RaggedTensor, idf: tf.Tensor) -> tuple[tf.RaggedTensor, tf.RaggedTensor]:
    """Weighs the terms of each row, and scales the row to length 1.

    Args:
        term_ids: ragged int64 tensor `(batch, None)`; -1 is ignored.
        idf: float32 tensor `(num_terms,)`.

    Returns:
        `(term_ids, weights)`: ragged int32 and float32 tensors `(batch, None)`
        with one entry a distinct term; weight `(1 + ln count) * idf`, divided
        by the row's Euclidean norm. No entries where no term is known.
    """
    num_terms = tf.cast(tf.shape(idf)[0], tf.int64)
    batch = term_ids.nrows()
    known = term_ids.values >= 0
    rows = tf.boolean_mask(term_ids.value_rowids(), known)
    keys, _, counts = tf.unique_with_counts(
        tf.cast(rows, tf.int64) * num_terms + tf.boolean_mask(term_ids.values, known)
    )
    rows, columns = keys // num_terms, keys % num_terms
    weights = (1.0 + tf.math.log(tf.cast(counts, tf.float32))) * tf.gather(idf, columns)
    norms = tf.sqrt(tf.math.unsorted_segment_sum(tf.square(weights), rows, batch))
    weights = weights / tf.gather(norms, rows)
    # Distinct keys keep their order, so rows ascend: no need to check it at every step.
    return (
        tf.RaggedTensor.from_value_rowids(tf.cast(columns, tf.int32), rows, batch, validate=False),
        tf.RaggedTensor.from_value_rowids(weights, rows, batch, validate=False),
    )

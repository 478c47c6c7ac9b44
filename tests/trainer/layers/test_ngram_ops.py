import numpy as np
import pytest
import tensorflow as tf
from sklearn.feature_extraction.text import TfidfVectorizer

from trainer.layers import ngram_ops

WORD_WIDTHS, CHARACTER_WIDTHS = (1, 2), (2, 3, 4, 5)
TEXTS = [
    "Red wireless Headphones, red & LOUD!",
    "",
    "蓝牙耳机 wireless 5.0",
    "wireless\tred\nRED red",
    "Größe 42: Ärmel—lang",
    "😀 !!! ...",
    "a",
    "キッチン用 カメラ",
    "हिंदी कैमरा",
]


def words_of(texts, max_characters=5000):
    return ngram_ops.split_words(tf.constant(texts), max_characters)


def as_lists(ragged):
    return [[item.decode() for item in row] for row in ragged.to_list()]


def test_words_are_letters_and_digits_in_lower_case():
    assert as_lists(words_of(TEXTS)) == [
        ["red", "wireless", "headphones", "red", "loud"],
        [],
        ["蓝", "牙", "耳", "机", "wireless", "5", "0"],
        ["wireless", "red", "red", "red"],
        ["größe", "42", "ärmel", "lang"],
        [],
        ["a"],
        ["キ", "ッ", "チ", "ン", "用", "カ", "メ", "ラ"],
        ["हिंदी", "कैमरा"],
    ]


def test_broken_bytes_do_not_break_the_batch():
    assert as_lists(words_of([b"red\xff\xfewire", b"ok"]))[1] == ["ok"]


def test_reads_whole_characters_up_to_the_limit():
    assert as_lists(words_of(["耳机耳机", "abcdef"], 3)) == [["耳", "机", "耳"], ["abc"]]


def _words(text):
    return as_lists(words_of([text]))[0]


def _word_terms(text):
    words = _words(text)
    return [" ".join(words[i : i + n]) for n in WORD_WIDTHS for i in range(len(words) - n + 1)]


def _character_terms():
    """Returns scikit-learn's own `char_wb` analyzer, which splits on blanks."""
    return TfidfVectorizer(
        analyzer="char_wb",
        ngram_range=(CHARACTER_WIDTHS[0], CHARACTER_WIDTHS[-1]),
        preprocessor=lambda text: " ".join(_words(text)),
    ).build_analyzer()


@pytest.mark.parametrize("kind", ["word", "character"])
def test_ngrams_are_those_of_scikit_learn(kind):
    words = words_of(TEXTS)
    if kind == "word":
        found, analyze = ngram_ops.word_ngrams(words, WORD_WIDTHS), _word_terms
    else:
        flat = ngram_ops.character_ngrams(words.values, CHARACTER_WIDTHS)
        found, analyze = words.with_values(flat).merge_dims(1, 2), _character_terms()
    for row, text in zip(as_lists(found), TEXTS, strict=True):
        assert sorted(row) == sorted(analyze(text))


@pytest.mark.parametrize("kind", ["word", "character"])
@pytest.mark.parametrize("in_graph", [False, True])
def test_tfidf_is_that_of_scikit_learn(kind, in_graph):
    analyze = _word_terms if kind == "word" else _character_terms()
    reference = TfidfVectorizer(analyzer=analyze, sublinear_tf=True)
    reference.fit(TEXTS[:5])
    terms = list(reference.get_feature_names_out())
    table = tf.lookup.StaticHashTable(
        tf.lookup.KeyValueTensorInitializer(terms, np.arange(len(terms))), -1
    )
    look_up = ngram_ops.word_term_ids if kind == "word" else ngram_ops.character_term_ids
    widths = WORD_WIDTHS if kind == "word" else CHARACTER_WIDTHS

    def run(texts):
        term_ids = look_up(ngram_ops.split_words(texts, 5000), widths, table)
        found = ngram_ops.tfidf(term_ids, tf.constant(reference.idf_, tf.float32))
        return tuple(ragged.to_tensor() for ragged in found)

    term_ids, weights = (tf.function(run) if in_graph else run)(tf.constant(TEXTS))
    assert term_ids.dtype == tf.int32
    dense = np.zeros((len(TEXTS), len(terms)))
    for row in range(len(TEXTS)):
        np.add.at(dense[row], term_ids[row].numpy(), weights[row].numpy())
    np.testing.assert_allclose(dense, reference.transform(TEXTS).toarray(), atol=1e-6)


def test_no_known_term_at_all_gives_no_entries():
    term_ids, weights = ngram_ops.tfidf(
        tf.ragged.constant([[-1], []], tf.int64), tf.constant([1.0])
    )
    assert term_ids.to_list() == weights.to_list() == [[], []]

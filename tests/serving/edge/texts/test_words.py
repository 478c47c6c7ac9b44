import tensorflow as tf

from serving.edge.texts.words import split_plain_words, split_words
from trainer.layers import ngram_ops


def test_words_are_those_of_the_trainer(hard_texts, code_points):
    texts = [*hard_texts, *(f"a{letter}b".encode() for letter in code_points)]
    expected = ngram_ops.split_words(tf.constant(texts), 500).to_list()
    for text, words in zip(texts, expected, strict=True):
        assert [word.encode() for word in split_words(text, 500)] == words, text[:200]


def test_ideographs_are_words_and_marks_divide_plain_ones():
    text = "Café, 智能ワイ cafe\u0301".encode()
    assert split_words(text, 100) == ["café", "智", "能", "ワ", "イ", "cafe\u0301"]
    assert split_plain_words(text) == ["café", "智", "能", "ワイ", "cafe"]
    assert split_words(text, 3) == ["caf"]

import random
import unicodedata

import pytest
import tensorflow as tf

from trainer.encoders.bert import BertEncoder
from trainer.encoders.ngram import NGramEncoder
from trainer.layers import text_ops
from trainer.layers.text_ops import fold_look_alikes
from trainer.registry import EDITS


def fold(*texts):
    return [text.decode() for text in fold_look_alikes(tf.constant(texts, tf.string)).numpy()]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Dr\u0435\u0455\u0455 for Girls", "Dress for Girls"),
        ("\uff35\uff33\uff22 \u84dd\u7259", "USB \u84dd\u7259"),
        ("Gir1's, metal1", "Girl's, metall"),
        ("b12 1a 1 M1", "b12 1a 1 M1"),
        ("St\u200by\u00adle", "Style"),
        ("a\nSh\u03bfes\n\nb", "a\nShoes\n\nb"),
        ("", ""),
    ],
)
def test_words_are_read_as_they_look(text, expected):
    assert fold("other", text, "") == ["other", expected, ""]


@pytest.mark.parametrize(
    "text",
    [
        "\u043a\u0440\u0430\u0441\u043d\u044b\u0439 \u0447\u0430\u0439\u043d\u0438\u043a USB",
        "\u03ba\u03b1\u03c6\u03ad\u03c2 \u03bc\u03b5 \u03b3\u03ac\u03bb\u03b1",
        "\u0646\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645",
        "\U0001f468\u200d\U0001f469\u200d\U0001f467",
    ],
)
def test_other_scripts_stay(text):
    assert fold(text) == [text]


def test_a_word_does_not_reach_into_the_next_row():
    assert fold("abc", "\u0441\u043e\u043d") == ["abc", "\u0441\u043e\u043d"]


def test_the_table_has_pairs_that_unicode_calls_by_the_same_letter():
    named = 0
    for alike, latin in text_ops._ALIKE:
        for of, to in zip(alike, latin, strict=True):
            assert of.isupper() == to.isupper()
            assert not of.isascii()
            assert to.isascii()
            named += unicodedata.name(of).split()[-1].startswith(to.upper())
    assert named > 20


def test_every_look_alike_of_the_edits_inside_a_word_is_read_back():
    rng = random.Random(0)
    edit = EDITS.get("look_alike")()
    for _ in range(50):
        # One letter that has no look-alike, so that something Latin is left, and one that has.
        word = "Qa" + "".join(rng.choice("abcdefghijkmnopqrstuvwxyz") for _ in range(8))
        variants = edit.variants(word)
        assert variants
        assert fold(*variants) == [word] * len(variants)


def test_encoders_that_fold_give_disguised_words_the_same_tensors():
    told = tf.constant(["red cotton dress", "blue shirt of cotton"])
    disguised = tf.constant(
        ["r\u0435d c\u043etton dr\u0435\u0455\u0455", "blu\u0435 \u0455hirt of c\u043etton"]
    )
    for make in (BertEncoder, NGramEncoder):
        plain, folding = make("t"), make("t", fold_look_alikes=True)
        for encoder, same in ((plain, False), (folding, True)):
            if isinstance(encoder, NGramEncoder):
                encoder.adapt(told.numpy())
            pairs = zip(
                encoder.preprocess(told).values(),
                encoder.preprocess(disguised).values(),
                strict=True,
            )
            alike = [a.shape == b.shape and bool(tf.reduce_all(a == b)) for a, b in pairs]
            assert all(alike) == same

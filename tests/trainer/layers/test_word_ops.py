import numpy as np
import tensorflow as tf

from trainer.layers.word_ops import find_words, sum_words


def show(text):
    words = find_words(tf.constant([text]))
    return [word.decode() for word in words.shown()[0].numpy()]


def test_words_are_as_a_person_reads_them():
    assert show("Red, (wireless) head-phones!\nUSB-C & 5.5 mm") == [
        "Red",
        "wireless",
        "head-phones",
        "USB-C",
        "&",
        "5.5",
        "mm",
    ]
    assert show("无线耳机 pro，黑色") == ["无", "线", "耳", "机", "pro", "黑", "色"]
    assert show("ワイヤレス 充電器") == ["ワイヤレス", "充", "電", "器"]
    assert show(" \t\n\u3000") == []
    assert show("") == []


def test_knows_where_they_stand():
    texts = ["Über  uns\nmug", "", "茶杯 x"]
    words = find_words(tf.constant(texts))
    for row, text in enumerate(texts):
        encoded = text.encode()
        for word, start, first in zip(
            words.texts[row].numpy(),
            words.starts[row].numpy(),
            words.characters[row].numpy(),
            strict=True,
        ):
            assert encoded[start : start + len(word)] == word
            assert text[first:].encode().startswith(word)
    assert words.texts.row_lengths().numpy().tolist() == [3, 0, 3]
    assert words.of_row(2).texts.to_list() == [["茶".encode(), "杯".encode(), b"x"]]


def test_takes_no_texts():
    words = find_words(tf.constant([], tf.string))
    assert words.texts.nrows() == 0
    assert words.shown().to_tensor("").shape == (0, 0)


def test_sums_by_word():
    words = find_words(tf.constant(["a b c"]))
    scores = sum_words(tf.constant([1.0, 2.0, 4.0, 8.0]), tf.constant([2, 0, 2, -1]), words)
    np.testing.assert_array_equal(scores, [2, 0, 5])

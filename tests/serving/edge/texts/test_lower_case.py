import tensorflow as tf

from serving.edge.texts.lower_case import lower


def compare(texts):
    expected = tf.strings.lower(tf.constant(texts), encoding="utf-8").numpy()
    assert [lower(text).encode() for text in texts] == expected.tolist()


def test_is_that_of_tensorflow(hard_texts, code_points):
    compare([text.decode("utf-8", "replace") for text in hard_texts])
    compare(code_points)


def test_a_sigma_at_the_end_of_a_word_is_written_otherwise(code_points):
    assert lower("ΟΔΟΣ ΟΔΟΣ") == "οδος οδος"
    # U+1734 was no accent any more in Unicode 14.
    compare([f"ΑΣ{letter}Σ Σ{letter}" for letter in code_points if letter != "\u1734"])


def test_a_text_ends_with_its_first_nul():
    compare(["A\0B", "\0", "Ab"])
    assert lower("A\0B") == "a"

import tensorflow as tf

from trainer.layers.spelling_ops import Spelling

WORDS = ["skin", "soft", "bottle", "kitchen", "model", "body", "boy", "küche", "skip"]


def correct(*texts: str) -> list[str]:
    spelling = Spelling(WORDS)

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string)])
    def run(values: tf.Tensor) -> tf.Tensor:
        words = spelling.correct(tf.strings.split(values))
        return tf.strings.reduce_join(words, axis=1, separator=" ")

    eager = spelling.correct(tf.strings.split(tf.constant(texts)))
    found = run(tf.constant(texts)).numpy().tolist()
    assert [b" ".join(row) for row in eager.to_list()] == found
    return [text.decode() for text in found]


def test_one_slip_is_mended() -> None:
    slips = "sfot sooft sft soqt ktichen kitche kitchenn bott1e küxhe kche"
    mended = "soft soft soft soft kitchen kitchen kitchen bottle küche küche"
    # Of three letters only, a word is like too many others.
    assert correct(slips) == [mended.replace("soft soft soft soft", "soft soft sft soft")]


def test_known_and_unlike_words_stay() -> None:
    assert correct("boy body xyzzy 12345 ab") == ["boy body xyzzy 12345 ab"]


def test_the_most_frequent_of_several_is_taken() -> None:
    assert correct("skix") == ["skin"]


def test_words_that_a_space_divides_are_joined_within_a_row() -> None:
    assert correct("mo del sk in soft", "bot", "tle") == ["model skin soft", "bot", "tle"]


def test_known_neighbours_are_not_joined() -> None:
    spelling = Spelling(["under", "wear", "underwear"])
    words = tf.strings.split(tf.constant(["under wear", "unde rwear"]))
    assert spelling.correct(words).to_list() == [[b"under", b"wear"], [b"underwear"]]


def test_rows_without_words_stay_in_place() -> None:
    assert correct("", "sfot", "") == ["", "soft", ""]
    assert correct("") == [""]


def test_without_known_words_nothing_changes() -> None:
    words = tf.strings.split(tf.constant(["sfot skin"]))
    assert Spelling([]).correct(words).to_list() == [[b"sfot", b"skin"]]

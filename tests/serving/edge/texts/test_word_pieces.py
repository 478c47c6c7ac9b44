import pytest
import tensorflow as tf
import tensorflow_text

from serving.edge.texts.word_pieces import WordPieces

# All of these can follow one another, so that a letter that is changed or left out is noticed.
LETTERS = "abcdefghijklmnopqrstuvwxyz0123456789éабвгдежзијкяωσιאש智能手にがあ가한!.,-()™ÅAΣ"
VOCABULARY = [
    *("[PAD]", "[UNK]", "[CLS]", "[SEP]", "smart", "watch", "##watch", "un", "##aff", "##able"),
    *LETTERS,
    *(f"##{letter}" for letter in LETTERS),
]


@pytest.fixture(scope="module", params=[True, False], ids=["lower-cased", "as it is"])
def compare(request):
    """Returns a function that asserts that texts have the pieces of tensorflow_text."""
    tokenizer = tensorflow_text.FastBertTokenizer(
        vocab=VOCABULARY,
        token_out_type=tf.int32,
        lower_case_nfd_strip_accents=request.param,
    )
    pieces = WordPieces(VOCABULARY, request.param)

    def compare_all(texts):
        expected = tokenizer.tokenize(tf.constant(texts)).to_list()
        for text, ids in zip(texts, expected, strict=True):
            assert pieces.tokenize(text, 10**6) == ids, text[:200]

    return compare_all


def test_words_are_cut_from_the_left():
    pieces = WordPieces(VOCABULARY, lowercase=True)
    found = pieces.tokenize("Smartwatch UNAFFABLE, smart智能".encode(), 100)
    expected = ["smart", "##watch", "un", "##aff", "##able", ",", "smart", "智", "能"]
    assert [VOCABULARY[piece] for piece in found] == expected
    assert pieces.tokenize(b"Smartwatch UNAFFABLE", 3) == found[:3]


def test_pieces_are_those_of_tensorflow(compare, hard_texts):
    compare(hard_texts)


def test_code_points_are_read_as_in_tensorflow(compare, code_points):
    compare([f"a{letter}b".encode() for letter in code_points])


def test_broken_characters_are_read_as_in_tensorflow(compare):
    # An accent inside of a character is taken out, after which the character is whole.
    compare(
        [
            b"\xe6\x99\xcc\xa0\xba",
            b"a\xff",
            b"\xed\xa0\x80b",
            "智".encode()[:2],
            b"\xf4\x90\x80\x80",
        ]
    )


def test_words_of_more_than_100_bytes_are_unknown(compare):
    compare([b"a" * 100, b"a" * 101, "я".encode() * 50, "я".encode() * 51, b"\xff" * 101])
    assert WordPieces(VOCABULARY, True).tokenize(b"a" * 101 + b" a", 9) == [1, 10]

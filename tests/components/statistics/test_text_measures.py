import pytest

from components.statistics.text_measures import hash_texts, script_of, words_of


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Wireless Head-phones, 30 W!", ["wireless", "head", "phones", "30", "w"]),
        ("无线耳机 Pro", ["无", "线", "耳", "机", "pro"]),
        ("snake_case", ["snake", "case"]),
        ("  \u200b ", []),
    ],
)
def test_words(text, words):
    assert words_of(text) == words


@pytest.mark.parametrize(
    ("text", "script"),
    [
        ("Head 12", "Latin"),
        ("智能手表 S9", "Han"),
        ("ヘッドホン", "Kana"),
        ("Наушники", "Cyrillic"),
        ("हेडफ़ोन", "Devanagari"),
        ("12 €!", "none"),
        ("ab дж", "Cyrillic"),  # equals by name
    ],
)
def test_the_script_of_most_letters(text, script):
    assert script_of(text) == script


def test_texts_are_the_same_whatever_their_case_width_and_spacing():
    texts = ["Smart  lamp", "With four warm colours"]
    same = ["ＳＭＡＲＴ lamp ", "with four\nwarm colours"]
    assert hash_texts(texts) == hash_texts(same) is not None
    assert hash_texts(texts) != hash_texts(["Smart lamp with", "four warm colours"])
    assert hash_texts(texts) != hash_texts(["Smart lamp", "With five warm colours"])


def test_short_texts_are_the_same_by_chance():
    assert hash_texts(["Men's", "T-Shirt"]) is None

import pytest

from trainer.data.words import map_words


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Red mug, 330 ml", ["Red", "mug,", "330", "ml"]),
        ("智能手表 HD屏幕2", ["智", "能", "手", "表", "HD", "屏", "幕", "2"]),
        ("かな a", ["か", "な", "a"]),
        ("", []),
    ],
)
def test_ideographs_are_words(text, words):
    found = []
    assert map_words(text, lambda line: found.extend(line) or line) == text
    assert found == words


def test_lines_and_spaces_stay_and_empty_words_go():
    assert map_words("a b c\nd", lambda words: [w if w != "b" else "" for w in words]) == "a c\nd"
    assert map_words("黑a色", lambda words: [*words[::-1]]) == "色a黑"

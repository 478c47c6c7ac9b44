from pathlib import Path

import pytest

from trainer.modalities.text import MAX_CHARACTERS, TEXT_SEPARATOR, TextModality

FOLDER = Path()


@pytest.mark.parametrize(
    ("cells", "text"),
    [
        (["Blue mug", "For tea"], f"Blue mug{TEXT_SEPARATOR}For tea"),
        (["", "For tea", None, float("nan")], "For tea"),
        (["  a\n\tb\u00a0\u3000c\u2028d "], "a b c d"),
        (["a\0b\x07c\x9fd\ufeff"], "a b c d"),
        (["cafe\u0301"], "caf\u00e9"),
        (["智能手表 ⌚️ 👩‍👩‍👧 família"], "智能手表 ⌚️ 👩‍👩‍👧 família"),
        ([3.0, 2.5], f"3{TEXT_SEPARATOR}2.5"),
        (["\0 \n"], ""),
        ([], ""),
    ],
)
def test_cells_become_one_text(cells, text):
    assert TextModality().read(cells, FOLDER) == (text.encode(), "")


def test_long_texts_are_cut_between_characters():
    value, problem = TextModality().read(["价格" * 50_000], FOLDER)
    assert (len(value.decode()), problem) == (MAX_CHARACTERS, "")


def test_a_lone_surrogate_is_replaced():
    assert TextModality().read(["a\ud800b"], FOLDER) == (b"a?b", "")

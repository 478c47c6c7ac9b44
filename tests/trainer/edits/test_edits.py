import numpy as np
import pytest
from pypinyin import lazy_pinyin

from trainer.augmentations.word_edits import WordEdits
from trainer.registry import EDITS

WORDS = ["wireless", "HD", "x", "耳", "机", "手", "😀", "12,5", "café", "龘", "SPEAKERS"]


def variants(name, word):
    return EDITS.get(name)().variants(word)


@pytest.mark.parametrize("name", EDITS.names())
def test_gives_other_ways_to_write_some_words(name):
    found = {word: variants(name, word) for word in WORDS}
    assert any(found.values())
    for word, others in found.items():
        assert word not in others
        assert len(set(others)) == len(others)
        assert all(others)
    assert variants(name, "wireless") == found["wireless"]


def test_slips_are_one_letter_away():
    for other in variants("slip", "lamp"):
        assert other[0] == "l"
        assert abs(len(other) - 4) <= 1
        assert sorted(set(other)) == sorted(set("lamp")) or len(other) == 3
    assert "lmap" in variants("slip", "lamp")


def test_look_alikes_have_the_letters_of_another_script():
    everything = variants("look_alike", "case")[-1]
    assert not everything.isascii()
    assert len(everything) == 4
    assert variants("look_alike", "www") == []


def test_homophones_sound_alike():
    others = variants("homophone", "机")
    assert len(others) > 3
    assert {of for other in others for of in lazy_pinyin(other)} == {"ji"}


def test_scripts_go_both_ways():
    assert variants("script", "机") == ["機"]
    assert variants("script", "機") == ["机"]
    assert variants("script", "人") == []


def test_as_many_words_are_edited_as_asked_for():
    text = " ".join(["wireless speakers with a long cable 耳机"] * 100)
    rng = np.random.default_rng(0)
    changed = WordEdits(rate=0.3, kinds=["slip"])(text, rng).split()
    pairs = list(zip(text.split(), changed, strict=True))
    long_words = [
        (a, b) for a, b in pairs if a in ("wireless", "speakers", "with", "long", "cable")
    ]
    share = np.mean([a != b for a, b in long_words])
    assert share == pytest.approx(0.3, abs=5 * np.sqrt(0.21 / 500))
    assert all(a == b for a, b in pairs if a == "a")
    assert WordEdits(rate=0)(text, rng) == text

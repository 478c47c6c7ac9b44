"""Word dropout, swaps, typos and line dropout against what they must do to words."""

from collections import Counter

import numpy as np
import pytest

from trainer.augmentations.line_dropout import LineDropout
from trainer.augmentations.typo import Typo
from trainer.augmentations.word_dropout import WordDropout
from trainer.augmentations.word_swap import WordSwap

NUM_WORDS = 4000
WORDS = [f"word{index}" for index in range(NUM_WORDS)]
TEXT = " ".join(WORDS)


def rng(seed=0):
    return np.random.default_rng(seed)


def bounds(rate, count=NUM_WORDS):
    """Five standard deviations of a binomial around its mean."""
    half = 5 * np.sqrt(count * rate * (1 - rate))
    return rate * count - half, rate * count + half


@pytest.mark.parametrize("operation", [WordDropout, WordSwap, Typo])
def test_without_a_rate_the_text_stays(operation):
    for text in (TEXT, "a\nb c\nd", "智能 watch，黑色", "x"):
        assert operation(rate=0)(text, rng()) == text


@pytest.mark.parametrize("rate", [0.1, 0.5])
def test_dropout_leaves_out_as_many_words_as_asked_and_keeps_the_order(rate):
    kept = WordDropout(rate)(TEXT, rng()).split()
    low, high = bounds(rate)
    assert low < NUM_WORDS - len(kept) < high
    assert kept == sorted(kept, key=WORDS.index)
    assert set(kept) <= set(WORDS)


def test_dropout_of_everything_leaves_one_word_in_each_line():
    dropped = WordDropout(1)("red desk lamp\nbright\nfor the home 灯", rng())
    first, second, third = dropped.split("\n")
    assert first in ("red", "desk", "lamp")
    assert second == "bright"
    assert third in ("for", "the", "home", "灯")


@pytest.mark.parametrize("rate", [0.1, 0.5, 1])
def test_a_swap_keeps_the_words_of_each_line(rate):
    text = f"{TEXT}\nred desk lamp\n智能手表"
    swapped = WordSwap(rate)(text, rng())
    for before, after in zip(text.split("\n"), swapped.split("\n"), strict=True):
        assert Counter(before) == Counter(after)
        assert Counter(before.split()) == Counter(after.split()) or " " not in before


def test_a_swap_moves_as_many_neighbours_as_asked():
    swapped = WordSwap(0.1)(TEXT, rng()).split()
    # A word moves up by one exactly where it was swapped with the one before it.
    moved = sum(swapped.index(word) < place for place, word in enumerate(WORDS[:2000]))
    low, high = bounds(0.1, 1999)
    assert low < moved < high


def test_a_typo_changes_as_many_words_as_asked_by_one_letter():
    words = [f"{chr(97 + index % 26)}bcdefgh" for index in range(NUM_WORDS)]
    typed = Typo(0.2)(" ".join(words), rng()).split()
    assert len(typed) == NUM_WORDS
    wrong = [pair for pair in zip(words, typed, strict=True) if pair[0] != pair[1]]
    low, high = bounds(0.2)
    assert low < len(wrong) < high
    lengths = Counter(len(after) - len(before) for before, after in wrong)
    assert set(lengths) == {-1, 0, 1}
    assert min(lengths.values()) > 0.25 * len(wrong)
    for before, after in wrong:
        assert after[0] == before[0]
        assert set(after) <= set(before)


def test_short_words_and_ideographs_have_no_typos():
    assert Typo(1)("the red 智能手表 mug", rng()) == "the red 智能手表 mug"


def test_line_dropout_leaves_out_whole_lines_but_never_all():
    counts = Counter(LineDropout(0.3)("title\ndescription", rng(seed)) for seed in range(3000))
    assert set(counts) == {"title\ndescription", "title", "description"}
    # One line alone: its neighbour is left out, or both were and it was put back.
    for line in ("title", "description"):
        low, high = bounds(0.3 * 0.7 + 0.09 / 2, 3000)
        assert low < counts[line] < high

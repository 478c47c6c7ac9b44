"""Values are counted exactly while there are few, and fairly in a sample beyond."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.statistics.distinct import KEPT, DistinctCount, hash_value
from components.statistics.value_counts import ValueCounts, row_level


def count(rows, max_values=8):
    counts = ValueCounts(max_values)
    for row, values in rows:
        counts.add(row, values)
    return counts


def told(counts):
    return counts.level, counts.rows, counts.distinct, counts.most_common()


@given(
    st.lists(st.lists(st.sampled_from("abcdefghijklmnopqrst"), max_size=4), max_size=60),
    st.permutations(range(3)),
)
def test_any_split_merges_to_the_same(texts, order):
    rows = list(enumerate(texts))
    merged = ValueCounts(8)
    for place in order:
        merged.merge(count(rows[place::3]))
    assert told(merged) == told(count(rows))
    if len({letter for text in texts for letter in text}) <= 8:
        assert merged.level == 0
    assert merged.distinct == len({letter for text in texts for letter in text})


def test_a_value_counts_once_in_a_row():
    assert count([(0, ["a", "a", "b"]), (1, ["a"])]).most_common() == [("a", 2), ("b", 1)]


def test_shares_in_a_sample_are_fair():
    """A fifth of the rows has `often`; ten thousand other values force a sample of the rows."""
    rng = np.random.default_rng(0)
    rows = [(row, ["often"] * (rng.random() < 0.2) + [f"rare {row}"]) for row in range(30_000)]
    counts = count(rows, max_values=2000)
    assert 800 < counts.rows < 2000
    share = dict(counts.most_common(1))["often"] / counts.rows
    assert share == pytest.approx(0.2, abs=4 * np.sqrt(0.2 * 0.8 / counts.rows))
    assert counts.distinct == pytest.approx(30_001, rel=0.05)


def test_levels_halve():
    levels = np.bincount([row_level(row) for row in range(100_000)])
    np.testing.assert_allclose(levels[:5] / 100_000, 0.5 ** np.arange(1, 6), rtol=0.03)


@pytest.mark.parametrize("size", [0, 1, KEPT, KEPT + 1, 40_000])
def test_different_values_are_counted(size):
    whole, parts = DistinctCount(), [DistinctCount() for _ in range(3)]
    for value in range(size):
        for _ in range(2):
            whole.add(hash_value(b"%d" % value))
        parts[value % 3].add(hash_value(b"%d" % value))
    merged = DistinctCount()
    for part in parts:
        merged.merge(part)
    assert merged.count == whole.count
    if size <= KEPT:
        assert whole.count == size
    else:
        assert whole.count == pytest.approx(size, rel=4 / np.sqrt(KEPT))

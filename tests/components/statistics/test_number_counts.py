"""Counts are exact while there are few numbers, and within the error that is told beyond."""

import math
from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.statistics import number_counts
from components.statistics.number_counts import (
    RELATIVE_ERROR,
    NumberCounts,
    cell_bounds,
    cell_of,
    quantiles,
)

FLOATS = st.floats(allow_nan=False, allow_infinity=False)
SHARES = [0, 0.01, 0.1, 0.25, 0.5, 0.9, 0.999, 1]


@pytest.fixture
def few(monkeypatch):
    monkeypatch.setattr(number_counts, "MAX_EXACT", 8)


def count(values):
    counts = NumberCounts()
    for value in values:
        counts.add(value)
    return counts


@given(FLOATS)
def test_a_number_is_within_the_bounds_of_its_cell(value):
    low, high = cell_bounds(cell_of(value))
    # The logarithm of a bound may be rounded to either side of it.
    slack = 1e-9 * abs(value)
    assert low - slack <= value <= high + slack
    if 1e-300 < abs(value) < 1e300:
        middle = quantiles([(low, high, 1)], [0.5])[0]
        assert middle == pytest.approx(value, rel=RELATIVE_ERROR * (1 + 1e-6))


@given(FLOATS, FLOATS)
def test_cells_are_in_the_order_of_numbers(first, second):
    assert (cell_of(first) <= cell_of(second)) or first > second


@pytest.mark.parametrize("size", [1, 2, 7, 500])
def test_quantiles_of_few_numbers_equal_numpy(size):
    values = np.random.default_rng(size).integers(-300, 300, size).astype(float)
    found = quantiles(count(values.tolist()).buckets(), SHARES)
    np.testing.assert_allclose(found, np.quantile(values, SHARES), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("sign", [1, -1])
def test_quantiles_of_many_numbers_are_within_the_error_that_is_told(sign):
    values = sign * np.random.default_rng(0).lognormal(3, 2, 20_000)
    counts = count(values.tolist())
    assert counts.exact is None
    found = quantiles(counts.buckets(), SHARES)
    np.testing.assert_allclose(found, np.quantile(values, SHARES), rtol=RELATIVE_ERROR * 1.001)


def test_quantiles_across_zero(few):
    values = np.random.default_rng(0).normal(0, 5, 999).round(3)
    found = quantiles(count(values.tolist()).buckets(), SHARES)
    wanted = np.quantile(values, SHARES)
    np.testing.assert_allclose(found, wanted, rtol=RELATIVE_ERROR * 1.001, atol=1e-4)


@given(
    st.lists(st.sampled_from([-3.0, -0.5, 0.0, 1.0, 2.0, 3.5, 7.0, 1e9, 1e-9, 4.0, 5.0])),
    st.permutations(range(4)),
)
def test_any_split_merges_to_the_same(values, order):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(number_counts, "MAX_EXACT", 8)
        parts = [count(values[n::4]) for n in range(4)]
        merged = NumberCounts()
        for place in order:
            merged.merge(parts[place])
        assert merged.buckets() == count(values).buckets()
        assert (merged.exact is None) == (len(set(values)) > 8)
        assert merged.cells() == Counter(map(cell_of, values))


def test_nothing_has_no_quantiles():
    assert math.isnan(quantiles([], [0.5])[0])


def test_zeros_of_both_signs_are_one_number():
    assert count([0.0, -0.0]).buckets() == [(0.0, 0.0, 2)]

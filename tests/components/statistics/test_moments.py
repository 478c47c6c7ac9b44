"""Moments equal NumPy's, and do not depend on who has counted what."""

import math
import statistics

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.statistics.moments import Moments

FLOATS = st.floats(allow_nan=False, allow_infinity=False, width=32)


def moments(values):
    found = Moments()
    for value in values:
        found.add(value)
    return found


@given(st.lists(FLOATS, min_size=1, max_size=30))
def test_moments_equal_those_of_fractions(values):
    found = moments(values)
    assert found.count == len(values)
    assert found.mean == statistics.mean(values)
    assert found.std_dev == pytest.approx(statistics.pstdev(values), rel=1e-12, abs=1e-300)
    assert (found.min, found.max) == (min(values), max(values))
    assert found.zeros == values.count(0)


@given(st.lists(FLOATS, max_size=30), st.lists(st.integers(0, 4), min_size=30, max_size=30))
def test_any_split_merges_to_the_same(values, shards):
    parts = [moments(v for v, of in zip(values, shards, strict=False) if of == n) for n in range(5)]
    merged = Moments()
    for part in reversed(parts):
        merged.merge(part)
    assert vars(merged) == vars(moments(values))


def test_moments_equal_numpy_where_numpy_is_exact():
    values = np.random.default_rng(0).lognormal(5, 1, 5000).astype(np.float32)
    found = moments(values.tolist())
    assert found.mean == pytest.approx(values.astype(np.float64).mean(), rel=1e-12)
    assert found.std_dev == pytest.approx(values.astype(np.float64).std(), rel=1e-12)


def test_the_deviation_of_large_numbers_that_differ_little_is_not_cancelled():
    assert moments([1e9, 1e9 + 1, 1e9 + 2]).std_dev == pytest.approx(math.sqrt(2 / 3), rel=1e-15)


def test_nothing_has_no_moments():
    assert math.isnan(Moments().mean)
    assert math.isnan(Moments().std_dev)

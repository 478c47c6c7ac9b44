"""What differs between samples is found, and what does not is not."""

from collections import Counter
from itertools import pairwise

import numpy as np
import pytest
from scipy.spatial.distance import jensenshannon

from components.example_validator.parts import cut
from components.example_validator.shift import find_shift, jensen_shannon
from components.statistics.measures import ByLabel, NumberValues, Values
from components.statistics.number_counts import coarse_cell


def numbers(values, on_grid=False):
    exact = NumberValues(Counter(np.asarray(values, float).tolist()), False)
    return exact.to_grid() if on_grid else exact


def values(counts, rows=None, complete=True):
    return Values(counts, rows or sum(counts.values()), complete)


@pytest.fixture
def draw():
    rng = np.random.default_rng(0)
    return lambda size=2000: rng.lognormal(4, 1, size).round(2)


@pytest.mark.parametrize("grids", [(False, False), (True, True), (False, True)])
def test_intervals_hold_all_rows_once(draw, grids):
    before, now = (numbers(draw(), on_grid) for on_grid in grids)
    for depth in (1, 3, 6):
        parts = cut(before, now, depth)
        assert (parts.first.sum(), parts.total.sum(), parts.expected.sum()) == (2000, 4000, 2000)
        assert len(parts.names) == 2**depth
        np.testing.assert_allclose(parts.total, 4000 / 2**depth, rtol=0.4)
        assert all(one.high <= other.low * 1.0001 for one, other in pairwise(parts.names))


@pytest.mark.parametrize(
    ("change", "where"),
    [
        (lambda price: 100 * price, "above"),
        (lambda price: price / 100, "below"),
        (lambda price: 0 * price + 49.9, "49.9"),
    ],
)
def test_changed_numbers_are_found_where_they_are(draw, change, where):
    before, now = draw(10_000), draw()
    now[:100] = change(now[:100])
    shift = find_shift(numbers(before), numbers(now), 0.02)
    assert shift.p_value < 1e-6
    assert shift.now - shift.before == pytest.approx(0.05, abs=0.02)
    low, high = (float(shift.where.split(" to ")[place]) for place in (0, -1))
    if where == "49.9":
        assert low <= 49.9 <= high
    else:
        assert where == ("above" if low > np.median(before) else "below")


def test_false_alarms_are_as_rare_as_is_told():
    rng = np.random.default_rng(0)
    alarms = 0
    for _ in range(150):
        before, now = (numbers(rng.normal(size=size).round(2)) for size in (700, 400))
        shift = find_shift(before, now, 0.001)
        alarms += shift is not None and shift.p_value < 0.05
    assert alarms <= 150 * 0.05 + 4 * np.sqrt(150 * 0.05)


def test_small_differences_do_not_matter_however_significant():
    before, now = values({"a": 500_000, "b": 500_000}), values({"a": 510_000, "b": 490_000})
    assert find_shift(before, now, 0.02) is None
    assert find_shift(before, now, 0.005).p_value < 1e-30


def test_the_largest_difference_of_shares_is_that_of_l_infinity():
    shift = find_shift(values({"a": 900, "b": 100}), values({"a": 800, "c": 200}), 0.01)
    assert (shift.where, shift.before, shift.now) == ("'c'", 0.0, 0.2)


def test_values_that_were_cut_off_are_not_compared():
    before, now = values({"a": 900}, 2000, complete=False), values({"a": 900, "c": 1100})
    assert find_shift(before, now, 0.01) is None  # `c` may be among those of before, too


def test_a_price_that_is_odd_for_its_label_is_found_though_it_is_common():
    rng = np.random.default_rng(0)
    medians = {"Plug": 20, "Lamp": 200, "Drone": 2000}

    def draw(rows, wrong=0):
        counts = Counter()
        for row in range(rows):
            label = list(medians)[rng.integers(3)]
            price = medians[label] * rng.lognormal(0, 0.4) * (10 if row < wrong else 1)
            counts[label, coarse_cell(price)] += 1
        return ByLabel(counts)

    before = draw(2000)
    shift = find_shift(before, draw(2000, wrong=100), 0.02)
    assert shift.p_value < 1e-6
    assert shift.where.startswith("rank 9")
    stationary = find_shift(before, draw(2000), 0.02)
    assert stationary is None or stationary.p_value > 0.05


def test_more_products_of_a_label_are_no_change_of_its_prices():
    rng = np.random.default_rng(0)

    def draw(share):
        labels = np.where(rng.random(4000) < share, "Plug", "Drone")
        prices = np.where(labels == "Plug", 20, 2000) * rng.lognormal(0, 0.4, 4000)
        return ByLabel(Counter(zip(labels.tolist(), map(coarse_cell, prices), strict=True)))

    shift = find_shift(draw(0.2), draw(0.7), 0.02)
    assert shift is None or shift.p_value > 0.05


@pytest.mark.parametrize("nothing", [values({}), numbers([]), ByLabel({})])
def test_nothing_has_no_shift(nothing):
    assert find_shift(nothing, nothing, 0.01) is None


def test_the_divergence_is_that_of_scipy():
    p, q = np.array([0.2, 0.5, 0.3]), np.array([0.6, 0.4, 0.0])
    found = jensen_shannon(values({"a": 20, "b": 50, "c": 30}), values({"a": 60, "b": 40}))
    assert found == pytest.approx(jensenshannon(p, q, base=2) ** 2)
    assert jensen_shannon(numbers([1, 2, 3]), numbers([1, 2, 3])) == 0
    assert jensen_shannon(numbers([1, 2, 3]), numbers([4, 5, 6])) == pytest.approx(1)
    assert jensen_shannon(numbers([]), numbers([1])) == 0

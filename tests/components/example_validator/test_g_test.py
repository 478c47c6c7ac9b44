import numpy as np
import pytest
from scipy.stats import hypergeom

from components.example_validator.g_test import g_test


@pytest.mark.parametrize("rows", [(2000, 2000), (2000, 10_000), (70, 560)])
@pytest.mark.parametrize("total", [10, 40, 100, 400])
def test_the_probability_is_close_to_that_of_fisher(rows, total):
    exact = hypergeom(sum(rows), total, rows[0])
    first = np.arange(max(0, total - rows[1]), min(total, rows[0]) + 1)
    wanted = 2 * np.minimum(exact.cdf(first), exact.sf(first - 1))
    compared = (wanted > 1e-12) & (wanted < 0.01)
    expected = np.full(first.size, total * rows[0] / sum(rows))
    found = g_test(first, expected, np.full(first.size, total), *rows)
    ratio = found[compared] / wanted[compared]
    assert ratio.min() > 0.5
    assert ratio.max() < 2


def test_equal_shares_are_no_wonder():
    found = g_test(np.array([10.0]), np.array([10.0]), np.array([30.0]), 100, 200)
    assert found == pytest.approx(1)


def test_what_all_rows_or_none_have_is_no_error():
    expected = np.array([0.0, 5.0])
    found = g_test(expected, expected, np.array([0.0, 12.0]), 5, 7)
    assert found == pytest.approx(1)

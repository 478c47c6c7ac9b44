import numpy as np
import pytest
from scipy import stats

from trainer.augmentations.jitter import Jitter


@pytest.mark.parametrize("value", [12.5, -3.0])
def test_factors_are_log_normal(value):
    rng = np.random.default_rng(0)
    factors = np.array([Jitter(0.3)(value, rng) / value for _ in range(2000)])
    assert stats.kstest(np.log(factors), "norm", args=(0, 0.3)).pvalue > 0.01


def test_zero_and_no_spread_stay():
    rng = np.random.default_rng(0)
    assert Jitter(0.3)(0.0, rng) == 0.0
    assert Jitter(0)(12.5, rng) == 12.5

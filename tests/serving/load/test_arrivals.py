from __future__ import annotations

import numpy as np
import pytest

from serving.load.arrivals import draw_arrivals


def test_arrivals_are_a_poisson_process():
    times = draw_arrivals(200.0, 100.0, seed=1)
    assert (np.diff(times) > 0).all()
    assert times[-1] < 100
    assert len(times) == pytest.approx(20_000, abs=5 * 20_000**0.5)
    gaps = np.diff(times)
    # Of exponential gaps the deviation is the mean, and the next does not follow from the last.
    assert gaps.std() == pytest.approx(gaps.mean(), rel=0.05)
    assert abs(np.corrcoef(gaps[1:], gaps[:-1])[0, 1]) < 0.03


def test_the_seed_decides():
    assert (draw_arrivals(50, 5, 3) == draw_arrivals(50, 5, 3)).all()
    assert draw_arrivals(50, 5, 3)[0] != draw_arrivals(50, 5, 4)[0]


def test_there_is_always_one():
    assert len(draw_arrivals(0.001, 0.01, 0)) == 1


@pytest.mark.parametrize(("rate", "seconds"), [(0, 1), (1, 0), (-1, 1)])
def test_nothing_to_draw(rate, seconds):
    with pytest.raises(ValueError, match="must be above 0"):
        draw_arrivals(rate, seconds, 0)

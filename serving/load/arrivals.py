"""When requests arrive."""

from __future__ import annotations

import numpy as np


def draw_arrivals(rate: float, seconds: float, seed: int) -> np.ndarray:
    """Draws a Poisson process: customers who know nothing of each other.

    Args:
        rate: float. Arrivals per second on average.
        seconds: float. How long they arrive.
        seed: int.

    Returns:
        Float array of the arrivals' seconds from the start, ascending, at least one.
    """
    if not (rate > 0 and seconds > 0):
        raise ValueError(
            f"Rate and seconds must be above 0. Received: rate={rate}, seconds={seconds}."
        )
    generator = np.random.default_rng(seed)
    times = np.zeros(0)
    while not len(times) or times[-1] < seconds:
        gaps = generator.exponential(1 / rate, int(rate * seconds) + 16)
        start = times[-1] if len(times) else 0.0
        times = np.concatenate([times, start + np.cumsum(gaps)])
    return times[: max(1, int(np.searchsorted(times, seconds)))]

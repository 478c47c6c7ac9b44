from __future__ import annotations

import pytest

from serving.client.errors import ServingError
from serving.client.retry import Retry

SAFE = ServingError("UNAVAILABLE", "busy", is_safe=True)


class Clock:
    """Time that passes only by sleeping."""

    def __init__(self):
        self.now, self.pauses = 0.0, []

    def sleep(self, seconds):
        self.pauses.append(seconds)
        self.now += seconds


@pytest.fixture
def clock():
    return Clock()


def make(clock, **options):
    return Retry(clock=lambda: clock.now, sleep=clock.sleep, **options)


def failing(errors, left=None):
    """Returns what raises some errors and then answers."""
    rest = list(errors)

    def send(seconds):
        if left is not None:
            left.append(seconds)
        if rest:
            raise rest.pop(0)
        return "answer"

    return send


def test_bounds_of_pauses_double_up_to_the_longest(clock):
    retry = make(clock, attempts=6, first=1.0, longest=5.0, draw=lambda bound: bound)
    assert retry.call(failing([SAFE] * 5), 100.0) == "answer"
    assert clock.pauses == [1, 2, 4, 5, 5]


def test_pauses_are_drawn_from_zero_up(clock):
    retry = make(clock, attempts=200, first=1.0, longest=1.0)
    retry.call(failing([SAFE] * 199), 1e9)
    assert min(clock.pauses) < 0.1
    assert 0.9 < max(clock.pauses) <= 1


def test_every_attempt_is_told_what_is_left(clock):
    left = []
    make(clock, first=1.0, draw=lambda bound: bound).call(failing([SAFE] * 2, left), 10.0)
    assert left == [10, 9, 7]


def test_no_pause_goes_beyond_the_deadline(clock):
    retry = make(clock, attempts=99, first=1.0, draw=lambda bound: bound)
    with pytest.raises(ServingError, match="busy"):
        retry.call(failing([SAFE] * 99), 6.0)
    assert clock.pauses == [1, 2]  # a third one would take till 7


def test_a_named_time_is_waited_and_jittered(clock):
    later = ServingError("UNAVAILABLE", "later", is_safe=True, retry_after=3.0)
    make(clock, first=0.5, draw=lambda bound: bound).call(failing([later]), 10.0)
    assert clock.pauses == [3.5]
    with pytest.raises(ServingError):
        make(clock).call(failing([later]), 2.0)


def test_attempts_are_counted(clock):
    with pytest.raises(ServingError):
        make(clock, attempts=3).call(failing([SAFE] * 3), 100.0)
    assert len(clock.pauses) == 2
    with pytest.raises(ValueError, match=r"at least 1. Received: 0"):
        Retry(attempts=0)


def test_what_is_not_safe_is_sent_once(clock):
    with pytest.raises(ServingError, match=r"INVALID_ARGUMENT: wrong. Correct the request"):
        make(clock).call(failing([ServingError("INVALID_ARGUMENT", "wrong.")]), 100.0)
    assert not clock.pauses

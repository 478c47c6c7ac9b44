"""When a request is sent again, and after how long."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar

from serving.client.errors import ServingError

Answered = TypeVar("Answered")


@dataclass(frozen=True)
class Retry:
    """Exponential backoff with full jitter, within a deadline.

    Full jitter: each pause is drawn from zero to a bound that doubles, so that
    clients which failed together do not come back together.

    Args:
        attempts: int. Times that a request is sent at most; 1 never repeats.
        first: float. Bound of the first pause in seconds.
        longest: float. Bound of every pause in seconds.
        draw: Returns a number from 0 to its argument.
        clock: Seconds, only ever forward.
        sleep: Waits some seconds.

    Reference:
        Brooker, 2015, "Exponential Backoff and Jitter", AWS Architecture Blog.
    """

    attempts: int = 5
    first: float = 0.1
    longest: float = 5.0
    draw: Callable[[float], float] = field(default=lambda bound: random.uniform(0.0, bound))
    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep

    def __post_init__(self) -> None:
        if self.attempts < 1:
            raise ValueError(f"`attempts` must be at least 1. Received: {self.attempts}.")

    def call(self, send: Callable[[float], Answered], deadline: float) -> Answered:
        """Sends until there is an answer, an error that repeating cannot mend, or no time left.

        Args:
            send: Takes the seconds that are left.
            deadline: float. Seconds for all attempts and pauses together.

        Raises:
            ServingError: the last one.
        """
        end = self.clock() + deadline
        for attempt in range(1, self.attempts + 1):
            try:
                return send(max(end - self.clock(), 0.001))
            except ServingError as error:
                pause = self._pause(error, attempt)
                # A pause that ends too late would only delay the same error.
                if not error.is_safe or attempt == self.attempts or self.clock() + pause >= end:
                    raise
                self.sleep(pause)
        raise AssertionError("unreachable: the last attempt returns or raises")

    def _pause(self, error: ServingError, attempt: int) -> float:
        jitter = self.draw(min(self.first * 2 ** (attempt - 1), self.longest))
        return jitter if error.retry_after is None else error.retry_after + jitter

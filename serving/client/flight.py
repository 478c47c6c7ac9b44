"""Work on many things at once, a bounded number of them, with results in order."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice
from typing import TypeVar

from serving.client.errors import ServingError

Item = TypeVar("Item")
Result = TypeVar("Result")

# Errors that one row of a batch can be the cause of.
_OF_ROWS = ("INVALID_ARGUMENT", "OUT_OF_RANGE", "RESOURCE_EXHAUSTED")


def in_order(
    work: Callable[[Item], Result], items: Iterable[Item], in_flight: int
) -> Iterator[Result]:
    """Yields the result of each item, in order.

    Args:
        work: Called in threads.
        items: Read as they are needed: at most `2 * in_flight` ahead of what
            was yielded.
        in_flight: int. Calls at once.
    """
    if in_flight < 1:
        raise ValueError(f"`in_flight` must be at least 1. Received: {in_flight}.")
    pending: deque[Future[Result]] = deque()
    pool = ThreadPoolExecutor(in_flight, thread_name_prefix="serving-client")
    try:
        for item in items:
            pending.append(pool.submit(work, item))
            # One slow call holds up only what is to be yielded, not the other calls.
            while len(pending) >= 2 * in_flight or (pending and pending[0].done()):
                yield pending.popleft().result()
        while pending:
            yield pending.popleft().result()
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def in_batches(items: Iterable[Item], size: int) -> Iterator[list[Item]]:
    """Yields the items, some at a time."""
    if size < 1:
        raise ValueError(f"`batch` must be at least 1. Received: {size}.")
    iterator = iter(items)
    while batch := list(islice(iterator, size)):
        yield batch


def ask_all(
    ask: Callable[[Sequence[Item]], Sequence[Result]], rows: Sequence[Item]
) -> list[Result | ServingError]:
    """Returns the answer to each row, or why there is none.

    A batch that is refused for what is in it, or for its size, is halved until
    the rows that are to blame stand alone.
    """
    try:
        return list(ask(rows))
    except ServingError as error:
        if len(rows) == 1 or error.code not in _OF_ROWS or error.is_safe:
            return [error] * len(rows)
    half = len(rows) // 2
    return [*ask_all(ask, rows[:half]), *ask_all(ask, rows[half:])]

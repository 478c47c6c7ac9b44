"""Lets graph operations go on without a value that they cannot read, and tell which it was."""

from __future__ import annotations

import contextvars
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from trainer.inputs import Limits

_guard: contextvars.ContextVar[Guard | None] = contextvars.ContextVar("guard", default=None)


@dataclass
class Guard:
    """Collects, while a graph is traced, what its operations could not read.

    Args:
        limits: Beyond which a value is not read.
        problems: string tensors `(batch,)`, `""` where a value was read.
    """

    limits: Limits
    problems: list[Any] = field(default_factory=list)


@contextmanager
def guarded(limits: Limits) -> Iterator[Guard]:
    """Yields what operations that are traced meanwhile could not read.

    They give the value of an absent row then, in place of an error that would
    end the whole batch. Training has no guard: its tables are checked before,
    and what still fails there is a fault.
    """
    guard = Guard(limits)
    token = _guard.set(guard)
    try:
        yield guard
    finally:
        _guard.reset(token)


def current_guard() -> Guard | None:
    """Returns the guard of the graph that is traced, if it has one."""
    return _guard.get()

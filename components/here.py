"""Steps in the process of the runner, one after the other."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable
from concurrent.futures import Executor, Future
from typing import Any

from components.worker import Step, StepFailed, describe_error


class Here:
    """Takes the place of a `Worker`, without a process of its own."""

    def execute(self, step: Step) -> dict[str, dict[str, Any]]:
        """Does a step; see `Worker.execute`.

        Raises:
            StepFailed: from what the step raised.
        """
        try:
            with contextlib.redirect_stdout(sys.stderr):  # what steps print is for people
                return step.do()
        except Exception as error:
            raise StepFailed(describe_error(error)) from error

    def stop(self) -> None:
        """Does nothing: what interrupts the runner has interrupted the step."""


class AtOnce(Executor):
    """Runs what is submitted before `submit` returns, so that Ctrl-C reaches it."""

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """Returns a future that is done. What is no `Exception` is raised."""
        future: Future[Any] = Future()
        try:
            future.set_result(fn(*args, **kwargs))
        except Exception as error:
            future.set_exception(error)
        return future

"""KerasTuner proposes settings, the judge measures them."""

from __future__ import annotations

import contextlib
import time
import warnings
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import keras_tuner
from keras_tuner.engine.base_tuner import BaseTuner
from sklearn.exceptions import ConvergenceWarning

from trainer.search.space import Choice, Dimension
from trainer.search.trials import OBJECTIVES, Trial

_NOISE = 0.1
"""Share of the variance between trials that is chance: folds and initial weights."""


def search(
    space: Sequence[Dimension],
    judge: Callable[[Mapping[str, Any]], Trial],
    known: Sequence[Mapping[str, Any]],
    *,
    method: str,
    objective: str,
    num_trials: int,
    seed: int,
    deadline: float,
    folder: Path,
) -> None:
    """Has settings judged until enough were, none is left, or time is up.

    A search goes on where it was interrupted by what the judge remembers.
    KerasTuner's own files, which a killed process can leave half written, are
    not read.

    Args:
        space: What is varied.
        judge: From settings to the finished, or failed, trial.
        known: Settings that the judge knows already; the first to be proposed.
        method: `random`, or `bayesian`: where a Gaussian process fitted to the
            trials so far, after as many random ones as twice the settings, has
            the best upper confidence bound.
        objective: One of `OBJECTIVES`.
        num_trials: int. With the known ones.
        seed: int.
        deadline: Of `time.monotonic()`; no trial begins after it.
        folder: For KerasTuner's files.
    """
    given: dict[str, Any] = {
        "objective": keras_tuner.Objective(objective, OBJECTIVES[objective]),
        "max_trials": num_trials,
        "hyperparameters": _declare(space),
        # One seed a value; and 0 is none for KerasTuner.
        "seed": 1 + seed + len(space) * len(known),
        "max_consecutive_failed_trials": num_trials + 1,
    }
    if method == "bayesian":
        given |= {"num_initial_points": 2 * len(space), "alpha": _NOISE}
        oracle = keras_tuner.oracles.BayesianOptimizationOracle(**given)
    else:
        oracle = keras_tuner.oracles.RandomSearchOracle(**given)
    oracle.verbose = 0
    oracle.populate_space = _with_known(known, oracle.populate_space)
    with contextlib.suppress(_OutOfTimeError), warnings.catch_warnings():
        # A process fitted to a handful of trials may not converge, and still proposes.
        warnings.simplefilter("ignore", ConvergenceWarning)
        _Tuner(oracle, judge, deadline, folder).search()


class _OutOfTimeError(Exception):
    """No further trial may begin."""


class _Tuner(BaseTuner):
    """Hands each proposal of an oracle to a judge."""

    def __init__(
        self,
        oracle: keras_tuner.Oracle,
        judge: Callable[[Mapping[str, Any]], Trial],
        deadline: float,
        folder: Path,
    ) -> None:
        super().__init__(
            oracle, directory=str(folder.parent), project_name=folder.name, overwrite=True
        )
        self._judge = judge
        self._deadline = deadline

    def pre_create_trial(self) -> None:
        if time.monotonic() > self._deadline:
            raise _OutOfTimeError

    def run_trial(self, trial: Any) -> dict[str, float]:
        judged = self._judge(_round(trial.hyperparameters.values))
        if judged.error:
            raise keras_tuner.errors.FailedTrialError(judged.error)
        name = self.oracle.objective.name
        return {name: judged.figures[name]}


def _with_known(
    known: Iterable[Mapping[str, Any]], propose: Callable[[str], dict[str, Any]]
) -> Callable[[str], dict[str, Any]]:
    """Has an oracle propose, and so hear of, what is known before anything else."""
    waiting = iter(known)

    def populate_space(trial_id: str) -> dict[str, Any]:
        settings = next(waiting, None)
        return propose(trial_id) if settings is None else {"status": "RUNNING", "values": settings}

    return populate_space


def _declare(space: Sequence[Dimension]) -> keras_tuner.HyperParameters:
    declared = keras_tuner.HyperParameters()
    for dimension in space:
        if isinstance(dimension, Choice):
            declared.Choice(dimension.name, list(dimension.values))
            continue
        number = declared.Int if isinstance(dimension.low, int) else declared.Float
        scale = "log" if dimension.log else "linear"
        number(dimension.name, dimension.low, dimension.high, sampling=scale)
    return declared


def _round(values: Mapping[str, Any]) -> dict[str, Any]:
    """Cuts numbers to four digits: as they are then written is what was measured."""
    return {
        name: float(f"{value:.4g}") if isinstance(value, float) else value
        for name, value in values.items()
    }

"""How good a configuration is, from rows that its networks have not seen."""

from __future__ import annotations

import copy
import dataclasses
import time
from collections.abc import Mapping
from typing import Any

import numpy as np

from trainer.answers import OK, Answers
from trainer.config import Config, apply_overrides
from trainer.data.duplicates import group_near_duplicates
from trainer.data.splits import fold_rows
from trainer.evaluate import evaluate_answers
from trainer.files import remove_folder
from trainer.run import Run
from trainer.search.trials import OBJECTIVES, Trial, TrialLog
from trainer.tracking.tracker import build_tracker


class Judge:
    """Measures variants of a configuration, each of them once.

    The train and eval rows are cross-validated; test rows stay unseen. Each
    network is judged on the fold by which it chose epoch and vote weights, as
    a run chooses them by its eval rows.

    Args:
        run: Prepared run of the configuration.
        num_folds: int.
        log: What was measured before is not measured again.

    Raises:
        ValueError: if the rows do not suffice for so many folds.
    """

    def __init__(self, run: Run, num_folds: int, log: TrialLog) -> None:
        self.run = run
        self.log = log
        self.of = f"{run.key}-{num_folds}"
        self.sample = run.sample("train", "eval")
        self.labels = [run.catalogue.labels[row] for row in self.sample.rows]
        groups = group_near_duplicates(run.catalogue.table, run.catalogue.inputs)
        seed = run.config.train.seed
        self.folds = fold_rows(self.labels, groups[self.sample.rows], num_folds, seed)

    def __call__(self, settings: Mapping[str, Any], *, may_fail: bool = True) -> Trial:
        """Returns the finished trial of some settings.

        Args:
            settings: By name `a.b`, what differs from the configuration.
            may_fail: Whether an error becomes a failed trial.
        """
        known = self.log.find(self.of, settings)
        if known:
            return known
        began = time.monotonic()
        overrides = [f"{name}={value}" for name, value in settings.items()]
        try:
            figures, error = self._measure(apply_overrides(self.run.config, overrides)), ""
        except Exception as failure:
            if not may_fail:
                raise
            figures, error = {}, f"{type(failure).__name__}: {failure}"
        trial = Trial(self.of, dict(settings), figures, time.monotonic() - began, error)
        self.log.add(trial)
        return trial

    def _measure(self, config: Config) -> dict[str, float]:
        run = copy.copy(self.run)
        run.config = config
        if config.augment != self.run.config.augment:
            run.open_store()
        tracker = build_tracker(config.train.track)
        # A run of the same configuration is told of apart.
        key, logs = f"{self.of}-{run.key}", run.workdir / "logs"
        tracker.start("trial", key, dataclasses.asdict(config), logs)
        try:
            metrics = evaluate_answers(self._answer(run), self.labels)
            tracker.log_metrics(metrics)
        finally:
            tracker.finish()
        # The next trial would find nothing there that is its own.
        remove_folder(run.workdir / "cache" / "checkpoints")
        return {name: metrics[name] for name in OBJECTIVES}

    def _answer(self, run: Run) -> Answers:
        scores = np.empty((len(self.sample), len(run.catalogue.class_names)))
        for fold in np.unique(self.folds):
            judged = self.folds == fold
            network = run.fit(self.sample.take(~judged), self.sample.take(judged))
            votes, _ = run.vote(network, self.sample.rows[judged])
            scores[judged] = network.pool(votes)
        ids = [str(row) for row in self.sample.rows]
        return Answers(ids, run.catalogue.class_names, scores, {}, [OK] * len(ids))

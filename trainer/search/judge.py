"""How good a configuration is, from rows that its networks have not seen."""

from __future__ import annotations

import copy
import dataclasses
import time
from collections.abc import Mapping
from typing import Any

import numpy as np

from trainer.answers import OK, Answers
from trainer.check_settings import check_settings
from trainer.config import Config
from trainer.data.duplicates import group_near_duplicates
from trainer.data.splits import fold_rows
from trainer.evaluate import evaluate_answers
from trainer.files import remove_folder
from trainer.overrides import apply_overrides
from trainer.run import Run
from trainer.search.trials import OBJECTIVES, Trial, TrialLog
from trainer.teacher import refuse_teacher
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
        ValueError: if the rows do not suffice for so many folds, or there is a
            teacher.
    """

    def __init__(self, run: Run, num_folds: int, log: TrialLog) -> None:
        refuse_teacher(run.config.train.teacher)
        self.run = run
        self.log = log
        self.of = f"{run.key}-{num_folds}"
        catalogue, rows = run.catalogue, run.sample("train", "eval").rows
        groups = group_near_duplicates(catalogue.table, catalogue.inputs)[rows]
        labels = [catalogue.labels[row] for row in rows]
        folds = fold_rows(labels, groups, num_folds, run.config.train.seed)
        self.folds = np.full(len(catalogue.ids), "", folds.dtype)
        self.folds[rows] = folds

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
        check_settings(config, run.catalogue, run.say)
        if config.augment != self.run.config.augment:
            run.write_rows()
        run.catalogue = dataclasses.replace(run.catalogue, splits=self.folds)
        tracker = build_tracker(config.train.track)
        # A run of the same configuration is told of apart.
        key, logs = f"{self.of}-{run.key}", run.workdir / "logs"
        tracker.start("trial", key, dataclasses.asdict(config), logs)
        try:
            metrics = evaluate_answers(*self._answer(run))
            tracker.log_metrics(metrics)
        finally:
            tracker.finish()
        # The next trial would find nothing there that is its own.
        remove_folder(run.workdir / "cache" / "checkpoints")
        return {name: metrics[name] for name in OBJECTIVES}

    def _answer(self, run: Run) -> tuple[Answers, list[str | None]]:
        """Returns answers to all rows, and the labels of those that are in a fold."""
        catalogue = run.catalogue
        scores = np.zeros((len(catalogue.ids), len(catalogue.class_names)))
        folds = sorted(set(self.folds.tolist()) - {""})
        for fold in folds:
            rest = run.sample(*(other for other in folds if other != fold))
            network = run.fit(rest, run.sample(fold))
            scores[self.folds == fold] = run.answer(network, fold).scores
        answers = Answers(catalogue.ids, catalogue.class_names, scores, {}, [OK] * len(scores))
        pairs = zip(catalogue.labels, self.folds, strict=True)
        return answers, [label if fold else None for label, fold in pairs]

"""The search from the configuration as it is to the best one, with its files."""

from __future__ import annotations

import dataclasses
import pprint
import shlex
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from trainer.files import write_text
from trainer.overrides import apply_overrides
from trainer.report.tuning_page import write_tuning_page
from trainer.run import Run
from trainer.search.judge import Judge
from trainer.search.space import Dimension, contains, read_setting
from trainer.search.trials import Trial, TrialLog, best_trial, write_csv
from trainer.search.tuner import search


@dataclass(frozen=True)
class Plan:
    """What to search, and for how long.

    Args:
        space: What to vary.
        method: `random` or `bayesian`.
        objective: One of `OBJECTIVES`.
        num_trials: Beside the configuration as it is.
        num_folds: Networks a trial.
        minutes: After which no trial begins.
    """

    space: Sequence[Dimension]
    method: str
    objective: str
    num_trials: int
    num_folds: int
    minutes: float


def tune(run: Run, plan: Plan) -> list[Trial]:
    """Searches, or goes on searching, and keeps `trials.json` whole after each trial.

    Args:
        run: Prepared run of the configuration to vary.
        plan: What to search.

    Returns:
        The trials. The first one is the configuration as it is, its settings
        those that are varied.
    """
    deadline = time.monotonic() + 60 * plan.minutes
    log = TrialLog(run.workdir / "trials.json")
    judge = Judge(run, plan.num_folds, log)
    known = [
        trial.settings
        for trial in log.trials
        if trial.of == judge.of and contains(plan.space, trial.settings)
    ]
    if known:
        run.say(f"{len(known)} trials are known from {log.path}")
    # What cannot be trained as it is cannot be searched around either.
    start = judge({}, may_fail=False)
    as_it_is = {item.name: read_setting(run.config, item.name) for item in plan.space}
    trials = [dataclasses.replace(start, settings=as_it_is)]
    run.say(f"as it is: {_shown(start, plan.objective)}")

    def judge_and_show(settings: Mapping[str, Any]) -> Trial:
        is_new = log.find(judge.of, settings) is None
        trials.append(judge(settings))
        if is_new:
            best = best_trial(trials, plan.objective).figures[plan.objective]
            run.say(
                f"trial {len(trials) - 1} of {plan.num_trials}: "
                f"{_shown(trials[-1], plan.objective)}; best {best:.4f}"
            )
            _write_files(run, plan, trials)
        return trials[-1]

    search(
        plan.space,
        judge_and_show,
        known,
        method=plan.method,
        objective=plan.objective,
        num_trials=plan.num_trials,
        seed=run.config.train.seed,
        deadline=deadline,
        folder=run.workdir / "cache" / "keras_tuner",
    )
    _write_files(run, plan, trials)
    return trials


def as_overrides(trial: Trial) -> list[str]:
    """Returns the settings of a trial as they are written after `--set`."""
    return [f"{name}={value}" for name, value in trial.settings.items() if value is not None]


def next_command(run: Run) -> str:
    """Returns what trains and measures the best configuration; embeddings are found again."""
    best = str(run.workdir / "best.py")
    given = ["--data", run.config.data.table, "--config", best, "--workdir", str(run.workdir)]
    return shlex.join(["taxofuse", "run", *given])


def _write_files(run: Run, plan: Plan, trials: Sequence[Trial]) -> None:
    best = best_trial(trials, plan.objective)
    described = (
        f"{plan.objective} {best.figures[plan.objective]:.4f} in {plan.num_folds}-fold "
        f"cross-validation, where it was {trials[0].figures[plan.objective]:.4f}"
    )
    changed = [] if best is trials[0] else as_overrides(best)
    config = dataclasses.asdict(apply_overrides(run.config, changed))
    write_text(
        run.workdir / "best.py",
        f'"""Found by `taxofuse tune`: {described}."""\n\n'
        "from trainer.config import Config\n\n\ndef get_config() -> Config:\n"
        f"    return Config.from_dict(\n{pprint.pformat(config, width=96, sort_dicts=False)}\n"
        "    )\n",
    )
    write_csv(run.workdir / "trials.csv", trials)
    sizes = [len(run.catalogue.rows(split)) for split in ("train", "eval")]
    write_tuning_page(
        run.workdir / "tuning.html",
        space=plan.space,
        trials=trials,
        objective=plan.objective,
        measured_on=f"{plan.num_folds}-fold cross-validation of {sum(sizes)} train and eval rows.",
        next_command=next_command(run),
    )


def _shown(trial: Trial, objective: str) -> str:
    figure = trial.error or f"{objective} {trial.figures[objective]:.4f}"
    return " ".join([f"{figure} in {trial.seconds:.0f} s:", *as_overrides(trial)]).rstrip(":")

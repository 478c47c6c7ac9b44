"""Search for better settings, without a look at the test rows.

  taxofuse tune --data products.csv --label category --workdir runs/tuned \\
      --vary train.l2=0.1..10:log --vary "model.fusion=concat|gated" --trials 20
  taxofuse run --data products.csv --config runs/tuned/best.py --workdir runs/tuned

Each trial is a cross-validation of the train and eval rows. The same command
again goes on where it was interrupted, and with more trials goes further.
"""

from __future__ import annotations

import argparse
import math

from trainer.commands.configure import add_config_arguments, configure
from trainer.search.space import DEFAULT_SPACE, parse_space
from trainer.search.trials import OBJECTIVES, best_trial

HELP = "search for better settings"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declares the options of the command."""
    add_config_arguments(parser)
    parser.add_argument(
        "--vary",
        action="append",
        metavar="a.b=LOW..HIGH[:log] | a.b=x|y|z",
        help="a setting of `model` or `train`; may be repeated. Default: "
        + " ".join(DEFAULT_SPACE),
    )
    parser.add_argument("--trials", type=int, default=20, metavar="N", help="beside the start")
    parser.add_argument("--search", choices=("random", "bayesian"), default="random")
    parser.add_argument("--objective", choices=tuple(OBJECTIVES), default="accuracy")
    parser.add_argument("--folds", type=int, default=3, metavar="N", help="networks a trial")
    parser.add_argument(
        "--minutes", type=float, default=math.inf, metavar="M", help="after which no trial begins"
    )


def run(args: argparse.Namespace) -> int:
    """Searches; prints figures, settings and paths."""
    if args.trials < 1:
        raise ValueError(f"--trials must be at least 1. Received: {args.trials}.")
    if args.folds < 2:
        raise ValueError(f"--folds must be at least 2. Received: {args.folds}.")
    if not args.minutes > 0:
        raise ValueError(f"--minutes must be above 0. Received: {args.minutes}.")
    config = configure(args)
    space = parse_space(args.vary or DEFAULT_SPACE, config)
    from trainer.run import Run
    from trainer.search.tune import Plan, as_overrides, next_command, tune

    job = Run(config, args.workdir)
    job.prepare()
    plan = Plan(space, args.search, args.objective, args.trials, args.folds, args.minutes)
    trials = tune(job, plan)
    best = best_trial(trials, args.objective)
    figures = [(name, trials[0].figures[name], best.figures[name]) for name in OBJECTIVES]
    print(f"trials         {len(trials) - 1}, {sum(bool(t.error) for t in trials)} failed")
    for name, before, after in figures:
        print(f"{name:<14} {after:.4f}, as it was {before:.4f}")
    settings = " ".join(f"--set {text}" for text in as_overrides(best))
    print(f"settings       {settings if best is not trials[0] else 'as they were'}")
    print(f"configuration  {args.workdir / 'best.py'}")
    print(f"all trials     {args.workdir / 'trials.csv'}")
    print(f"page           {args.workdir / 'tuning.html'}")
    print(f"next:\n  {next_command(job)}")
    return 0

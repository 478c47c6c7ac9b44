"""Rank the rows of a labelled table by how likely their label is wrong.

  taxofuse clean --data products.csv --label category --out suspicious.csv

Every row is judged by networks that have not seen it, nor the rows that others like
them suspect. To train on what they suggest: taxofuse run ... --set
data.suspicious=suspicious.csv; without those rows: --set data.wrong_labels=drop
"""

from __future__ import annotations

import argparse
from pathlib import Path

from trainer.commands.configure import add_config_arguments, configure

HELP = "rank the rows whose label is probably wrong"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declares the options of the command."""
    add_config_arguments(parser, workdir_required=False)
    parser.add_argument("--out", type=Path, required=True, metavar="FILE.csv")
    parser.add_argument("--folds", type=int, default=5, metavar="N", help="networks a round")


def run(args: argparse.Namespace) -> int:
    """Writes the ranking and prints its path."""
    if args.out.suffix != ".csv":
        raise ValueError(f"--out must end in .csv. Received: {args.out}.")
    if args.folds < 2:
        raise ValueError(f"--folds must be at least 2. Received: {args.folds}.")
    # Beside the answer, so that the same command goes on where it was interrupted.
    args.workdir = args.workdir or args.out.with_suffix(".work")
    config = configure(args)
    from trainer.files import new_file, remove_folder
    from trainer.run import Run
    from trainer.wrong_labels import cross_judge, rank_labels

    job = Run(config, args.workdir)
    frame = rank_labels(job, cross_judge(job, args.folds))
    with new_file(args.out) as temporary:
        frame.to_csv(temporary, index=False)
    remove_folder(args.workdir / "cache" / "checkpoints")
    job.say(f"{int(frame['suspicious'].sum())} of {len(frame)} labels are suspicious")
    print(args.out)
    return 0

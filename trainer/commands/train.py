"""Train and export a classifier, without reporting figures.

taxofuse train --data products.csv --label category --workdir runs/1
"""

from __future__ import annotations

import argparse

from trainer.commands.configure import add_training_arguments, configure

HELP = "train and export only"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declares the options of the command."""
    add_training_arguments(parser)


def run(args: argparse.Namespace) -> int:
    """Trains and exports; prints the path of the model."""
    config = configure(args)
    from trainer.artefact import find_export
    from trainer.run import Run

    job = Run(config, args.workdir)
    job.prepare()
    if job.is_done:
        job.say(f"{args.workdir} holds this very run, finished: nothing to do")
    else:
        job.train()
        job.finish()
    print(find_export(args.workdir))
    return 0

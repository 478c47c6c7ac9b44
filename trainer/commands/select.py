"""Choose the unlabelled products whose labels would help most.

  taxofuse select --model runs/1 --unlabeled new.csv --budget 50 --out next.csv

One row for each product chosen, the most useful first. Of near-duplicates only
one is chosen, and none whose like is in the table of `--labelled`.
"""

from __future__ import annotations

import argparse
from pathlib import Path

HELP = "choose the unlabelled products whose labels would help most"
_STRATEGY = "herding"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declares the options of the command."""
    parser.add_argument(
        "--model", type=Path, required=True, metavar="DIR", help="workdir or export"
    )
    parser.add_argument(
        "--unlabeled", required=True, metavar="TABLE", help="CSV or Parquet file of the candidates"
    )
    parser.add_argument("--budget", type=int, required=True, metavar="N", help="products to choose")
    parser.add_argument("--out", type=Path, required=True, metavar="FILE.csv")
    parser.add_argument(
        "--labelled", metavar="TABLE", help="products with labels, which need no second like them"
    )
    parser.add_argument(
        "--strategy",
        default=_STRATEGY,
        metavar="NAME",
        help="badge, clue, core_set, entropy, herding, margin, random or typical; "
        f"by default {_STRATEGY}",
    )
    parser.add_argument("--seed", type=int, default=0, metavar="N")


def run(args: argparse.Namespace) -> int:
    """Writes the choice and prints its path."""
    if args.out.suffix != ".csv":
        raise ValueError(f"--out must end in .csv. Received: {args.out}.")
    if args.budget < 1:
        raise ValueError(f"--budget must be at least 1. Received: {args.budget}.")
    from trainer.artefact import find_export
    from trainer.data.table import read_table

    find_export(args.model)
    table = read_table(args.unlabeled)
    labelled = read_table(args.labelled) if args.labelled else None
    from trainer.files import new_file
    from trainer.next_labels import choose_products
    from trainer.predictor import Predictor

    frame = choose_products(
        Predictor(args.model), table, labelled, args.budget, args.strategy, args.seed
    )
    with new_file(args.out) as temporary:
        frame.to_csv(temporary, index=False)
    print(args.out)
    return 0

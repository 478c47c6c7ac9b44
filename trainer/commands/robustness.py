"""Measure how far answers hold where products are changed.

  taxofuse robustness --model runs/1 --data held-out.csv --out runs/1/robustness

Pictures are attacked and corrupted, inputs left out, exchanged and scaled. The
label columns have the names that the model was trained with. Use products that
the model has not learned from. Interrupted work goes on where it was.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

HELP = "how far answers hold under attacks, corruptions and missing inputs"
_NUM_ROWS = 64


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declares the options of the command."""
    parser.add_argument("--model", type=Path, required=True, metavar="DIR", help="workdir")
    parser.add_argument("--data", required=True, metavar="TABLE", help="CSV or Parquet file")
    parser.add_argument("--out", type=Path, required=True, metavar="DIR")
    parser.add_argument(
        "--rows",
        type=int,
        default=_NUM_ROWS,
        metavar="N",
        help=f"labelled rows to draw, {_NUM_ROWS} by default; attacks take seconds for each",
    )
    parser.add_argument("--seed", type=int, default=0, metavar="N")


def run(args: argparse.Namespace) -> int:
    """Writes robustness.json and robustness.html; prints the figures."""
    if args.rows < 1:
        raise ValueError(f"--rows must be at least 1. Received: {args.rows}.")
    from trainer.artefact import find_export
    from trainer.data.table import read_table

    find_export(args.model)
    table = read_table(args.data)
    from trainer.robustness.assessment import assess_robustness

    summary = assess_robustness(args.model, table, args.out, args.rows, args.seed)
    print(f"rows      {summary['num_rows']}")
    print(f"accuracy  {summary['clean']['accuracy']:.4f}")
    for name, figures in summary["together"].items():
        print(f"{figures['accuracy']:.4f}    {name}")
    for check in summary["checks"]:
        if not check["passed"]:
            print(f"Not to be believed: {check['name']} ({check['detail']})", file=sys.stderr)
    print(f"report    {args.out / 'robustness.html'}")
    if seen := summary["num_trained_on"]:
        print(
            f"Note: the model has learned from {seen} of these rows, with their labels. The "
            "figures say little of new products: use rows that were not in its table.",
            file=sys.stderr,
        )
    return 0

"""Measure an exported model on a labelled table.

  taxofuse evaluate --model runs/1 --data labelled.csv --out runs/1/on-labelled

The label columns have the names that the model was trained with.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

HELP = "figures and a report for a labelled table"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declares the options of the command."""
    parser.add_argument(
        "--model", type=Path, required=True, metavar="DIR", help="workdir or export"
    )
    parser.add_argument("--data", required=True, metavar="TABLE", help="CSV or Parquet file")
    parser.add_argument("--out", type=Path, required=True, metavar="DIR")
    parser.add_argument(
        "--label",
        default="",
        metavar="COL[,COL...]",
        help="label columns, where they are not called as in training",
    )
    parser.add_argument("--label-separator", default="", metavar="TEXT")


def run(args: argparse.Namespace) -> int:
    """Writes metrics.json, report.html and answers.csv; prints the figures."""
    from trainer.artefact import find_export
    from trainer.data.table import read_table

    find_export(args.model)
    table = read_table(args.data)
    from trainer.evaluation import evaluate_table

    labels = tuple(name.strip() for name in args.label.split(",") if name.strip())
    metrics = evaluate_table(args.model, table, args.out, labels, args.label_separator)
    print(f"rows         {metrics['num_examples']}")
    print(f"accuracy     {metrics['accuracy']:.4f}")
    print(f"macro F1     {metrics['macro_f1']:.4f}")
    print(f"weighted F1  {metrics['weighted_f1']:.4f}")
    print(f"report       {args.out / 'report.html'}")
    if seen := metrics["num_trained_on"]:
        print(
            f"Note: the model has learned from {seen} of these rows, with their labels. The "
            "figures say little of new products: evaluate on rows that were not in its table.",
            file=sys.stderr,
        )
    return 0

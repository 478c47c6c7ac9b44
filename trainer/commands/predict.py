"""Answer every row of a table with an exported model.

  taxofuse predict --model runs/1 --data products.csv --out answers.csv

One row out for each row in, in the same order: id, label, confidence, status.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

HELP = "label, confidence and status for every row of a table"
_SUFFIXES = (".csv", ".jsonl", ".parquet")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declares the options of the command."""
    parser.add_argument(
        "--model", type=Path, required=True, metavar="DIR", help="workdir or export"
    )
    parser.add_argument("--data", required=True, metavar="TABLE", help="CSV or Parquet file")
    parser.add_argument(
        "--out", type=Path, required=True, metavar="FILE", help="ends in .csv, .jsonl or .parquet"
    )
    parser.add_argument(
        "--sure",
        type=float,
        default=0.0,
        metavar="P",
        help="add the column sure_label: the deepest level that is right with this probability",
    )
    parser.add_argument("--batch-size", type=int, default=32, metavar="N")


def run(args: argparse.Namespace) -> int:
    """Writes the answers and prints their path."""
    if args.out.suffix not in _SUFFIXES:
        raise ValueError(f"--out must end in one of {list(_SUFFIXES)}. Received: {args.out}.")
    if args.batch_size < 1:
        raise ValueError(f"--batch-size must be at least 1. Received: {args.batch_size}.")
    from trainer.answers import check_sure

    if args.sure:
        check_sure(args.sure)
    from trainer.artefact import find_export
    from trainer.data.table import read_table

    find_export(args.model)
    table = read_table(args.data)
    from trainer.files import new_file
    from trainer.predictor import Predictor

    predictor = Predictor(args.model)
    answers = predictor.answer(table, args.batch_size)
    if missing := predictor.missing_columns(table):
        print(
            f"Note: the table has no column {', '.join(map(repr, missing))}, which the model "
            f"reads. It has {', '.join(map(repr, table.frame.columns))}.",
            file=sys.stderr,
        )
    frame = answers.to_frame(predictor.card.level_names, args.sure)
    with new_file(args.out) as temporary:
        if args.out.suffix == ".csv":
            frame.to_csv(temporary, index=False)
        elif args.out.suffix == ".parquet":
            frame.to_parquet(temporary, index=False)
        else:
            lines = frame.to_json(orient="records", lines=True, force_ascii=False)
            # Of no rows pandas makes an empty line, which is no JSON.
            temporary.write_text(lines if len(frame) else "", encoding="utf-8")
    print(args.out)
    return 0

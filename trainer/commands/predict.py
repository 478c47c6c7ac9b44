"""Answer every row of a table with an exported model, here or on a server.

  taxofuse predict --model runs/1 --data products.csv --out answers.csv
  taxofuse predict --server grpc://localhost:8500 --data products.csv --out answers.csv

One row out for each row in, in the same order: id, label, confidence, status.
Beside the answers, FILE.model.json says which model gave them.
Over a server, rows that could not be answered say so in their status, and the
command ends with 1.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pandas import DataFrame

    from trainer.answering import TableAnswers
    from trainer.artefact import ModelCard
    from trainer.data.table import Table

HELP = "label, confidence and status for every row of a table"
_SUFFIXES = (".csv", ".jsonl", ".parquet")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declares the options of the command."""
    asked = parser.add_mutually_exclusive_group(required=True)
    asked.add_argument("--model", type=Path, metavar="DIR", help="workdir or export")
    asked.add_argument(
        "--server", metavar="URL", help="http://HOST:PORT or grpc://HOST:PORT of a model server"
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
    server = parser.add_argument_group("with --server")
    server.add_argument("--model-name", default="taxofuse", metavar="NAME")
    which = server.add_mutually_exclusive_group()
    which.add_argument("--model-version", type=int, metavar="N", help="the newest if not given")
    which.add_argument("--model-label", default="", metavar="LABEL", help="such as stable")
    server.add_argument("--in-flight", type=int, default=4, metavar="N", help="requests at once")
    server.add_argument(
        "--deadline",
        type=float,
        default=60.0,
        metavar="SECONDS",
        help="for one batch with its repetitions; a server that is away longer is given up",
    )


def run(args: argparse.Namespace) -> int:
    """Writes the answers and prints their path."""
    if args.out.suffix not in _SUFFIXES:
        raise ValueError(f"--out must end in one of {list(_SUFFIXES)}. Received: {args.out}.")
    if args.batch_size < 1:
        raise ValueError(f"--batch-size must be at least 1. Received: {args.batch_size}.")
    from trainer.answers import check_sure
    from trainer.provenance import write_provenance

    if args.sure:
        check_sure(args.sure)
    from trainer.data.table import read_table

    if args.model:
        from trainer.artefact import find_export

        find_export(args.model)
    table = read_table(args.data)
    card, found = (_ask_model if args.model else _ask_server)(args, table)
    _note_missing_columns(card, table)
    _write(found.to_frame(card.level_names, args.sure), args.out)
    write_provenance(args.out, card.run, str(args.model.absolute()) if args.model else args.server)
    print(args.out)
    if found.failures:
        row, status = next(iter(found.failures.items()))
        print(
            f"{len(found.failures)} of {len(found.ids)} rows have no answer, for what their status "
            f"says; first the row with id {found.ids[row]!r}: {status}",
            file=sys.stderr,
        )
    return 1 if found.failures else 0


def _ask_model(args: argparse.Namespace, table: Table) -> tuple[ModelCard, TableAnswers]:
    from trainer.answering import TableAnswers
    from trainer.predictor import Predictor

    predictor = Predictor(args.model)
    answers = predictor.answer(table, args.batch_size)
    return predictor.card, TableAnswers(answers.ids, answers, {})


def _ask_server(args: argparse.Namespace, table: Table) -> tuple[ModelCard, TableAnswers]:
    from trainer.answering import answer_table, find_scorer

    with find_scorer("server")(
        args.server,
        model=args.model_name,
        version=args.model_version,
        label=args.model_label,
        deadline=args.deadline,
        in_flight=args.in_flight,
    ) as scorer:
        return scorer.card, answer_table(scorer, table, args.batch_size)


def _note_missing_columns(card: ModelCard, table: Table) -> None:
    from trainer.answering import missing_columns

    if missing := missing_columns(card, table):
        print(
            f"Note: the table has no column {', '.join(map(repr, missing))}, which the model "
            f"reads. It has {', '.join(map(repr, table.frame.columns))}.",
            file=sys.stderr,
        )


def _write(frame: DataFrame, out: Path) -> None:
    from trainer.files import new_file

    with new_file(out) as temporary:
        if out.suffix == ".csv":
            frame.to_csv(temporary, index=False)
        elif out.suffix == ".parquet":
            frame.to_parquet(temporary, index=False)
        else:
            lines = frame.to_json(orient="records", lines=True, force_ascii=False)
            # Of no rows pandas makes an empty line, which is no JSON.
            temporary.write_text(lines if len(frame) else "", encoding="utf-8")

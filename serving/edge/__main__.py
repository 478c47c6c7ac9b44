"""Classify products on a device, from an exported folder.

  python -m serving.edge --model . --picture photo.jpg --text "Red mug, 0.3 l"
  python -m serving.edge --model . --pictures photos/
  python -m serving.edge --model . --table products.csv
  python -m serving.edge --model . --value image_bytes=@photo.jpg --value price=12.5

Prints one line of JSON for each product. What of a product cannot be read is left
out, and its status says so. Exit status 1: of some products nothing was left; 2: the
call, or the folder, is wrong.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from serving.edge.classifier import OK, Classifier
from serving.edge.product import ProductReader
from serving.edge.reading.files import load_path
from serving.edge.reading.numbers import parse_number
from serving.edge.reading.products import ToldProduct, read_file, read_folder, read_table
from serving.edge.reading.values import Told


def main(arguments: list[str] | None = None) -> int:
    """Answers what the arguments tell of; returns the exit status."""
    args = _parse(arguments)
    failed = 0
    try:
        classifier = Classifier(args.model, args.variant)
        for product in _read_products(args, classifier.reader):
            told, answered = _answer(classifier, product, args.top)
            print(_to_line(told), flush=True)
            failed += not answered
    except (OSError, ValueError) as error:
        print(error, file=sys.stderr)
        return 2
    return 1 if failed else 0


def _parse(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m serving.edge",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--model", type=Path, default=Path(), metavar="DIR", help="exported folder")
    parser.add_argument("--variant", default="", help="one of its files; the first by default")
    asked = parser.add_mutually_exclusive_group()
    asked.add_argument("--picture", type=Path, metavar="FILE")
    asked.add_argument("--pictures", type=Path, metavar="DIR", help="one product for each file")
    asked.add_argument(
        "--table",
        type=Path,
        metavar="CSV",
        help="one product for each row; columns named as the inputs, paths relative to the table",
    )
    parser.add_argument("--text", default="", metavar="WORDS")
    parser.add_argument(
        "--value", action="append", default=[], metavar="INPUT=VALUE", help="@FILE for its content"
    )
    parser.add_argument("--top", type=_count, default=3, metavar="N", help="classes to print")
    return parser.parse_args(arguments)


def _count(text: str) -> int:
    if not text.isdecimal() or not int(text):
        raise argparse.ArgumentTypeError(f"must be a number from 1 on. Received: {text!r}")
    return int(text)


def _answer(classifier: Classifier, product: ToldProduct, top: int) -> tuple[dict[str, Any], bool]:
    """Returns what is printed of a product, and whether there was anything to go by."""
    try:
        if product.fault:
            raise ValueError(product.fault)
        answer = classifier.answer(product.row)
    except (ValueError, RuntimeError, MemoryError) as error:
        fault = str(error) or "not enough memory here to answer it"
        return {"id": product.id, "status": "; ".join([*product.problems, fault])}, False
    best = answer.scores.argsort()[::-1][:top]
    told = [*product.problems, *([] if answer.status == OK else [answer.status])]
    return {
        "id": product.id,
        "label": answer.label,
        "confidence": round(answer.confidence, 6),
        "scores": {classifier.labels[at]: round(float(answer.scores[at]), 6) for at in best},
        "status": "; ".join(told) or OK,
    }, answer.anything


def _to_line(told: dict[str, Any]) -> str:
    line = json.dumps(told, ensure_ascii=False)
    try:
        line.encode(sys.stdout.encoding or "utf-8")
    except UnicodeEncodeError:  # names of files may hold what no encoding has
        return json.dumps(told)
    return line


def _read_products(args: argparse.Namespace, reader: ProductReader) -> Iterator[ToldProduct]:
    shared = _read_shared(args, reader)
    if args.pictures:
        return read_folder(args.pictures, _only(reader, "image"), shared)
    if args.table:
        return read_table(args.table, reader.inputs, reader.columns, shared)
    if args.picture:
        if not args.picture.is_file():
            raise FileNotFoundError(f"--picture must be a file. Received: {args.picture}.")
        return iter([read_file(args.picture, _only(reader, "image"), shared)])
    if not shared:
        raise ValueError(
            "Nothing to classify: give --picture, --pictures, --table, --text or --value."
        )
    return iter([ToldProduct("0", dict(shared))])


def _read_shared(args: argparse.Namespace, reader: ProductReader) -> dict[str, Told]:
    """Returns what the call itself tells."""
    shared: dict[str, Told] = {}
    if args.text:
        shared[_only(reader, "text")] = args.text
    for given in args.value:
        name, _, value = given.partition("=")
        if name not in reader.inputs:
            raise ValueError(
                f"Unknown input. Expected one of {sorted(reader.inputs)}. Received: {given!r}."
            )
        if reader.inputs[name] == "number" and parse_number(value) is None:
            raise ValueError(f"--value {name} must be a number. Received: {value!r}.")
        shared[name] = load_path(Path(value[1:]), value[1:]) if value[:1] == "@" else value
    return shared


def _only(reader: ProductReader, kind: str) -> str:
    """Returns the one input of a kind."""
    names = [name for name, of in reader.inputs.items() if of == kind]
    if len(names) != 1:
        raise ValueError(
            f"The model has {len(names)} inputs of kind {kind!r}: name one with --value. "
            f"Expected some of {sorted(reader.inputs)}."
        )
    return names[0]


if __name__ == "__main__":
    sys.exit(main())

"""Classify products on a device, from an exported folder.

  python -m serving.edge --model . --picture photo.jpg --text "Red mug, 0.3 l"
  python -m serving.edge --model . --pictures photos/
  python -m serving.edge --model . --value image_bytes=@photo.jpg --value price=12.5

Prints one line of JSON for each product. Exit status 1: some could not be answered.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator
from pathlib import Path

from serving.edge.classifier import Classifier

Row = dict[str, bytes | float]


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m serving.edge",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--model", type=Path, default=Path(), metavar="DIR", help="exported folder")
    parser.add_argument("--variant", default="", help="one of its files; the first by default")
    parser.add_argument("--picture", type=Path, metavar="FILE")
    parser.add_argument("--pictures", type=Path, metavar="DIR", help="one product for each file")
    parser.add_argument("--text", default="", metavar="WORDS")
    parser.add_argument(
        "--value", action="append", default=[], metavar="INPUT=VALUE", help="@FILE for its content"
    )
    parser.add_argument("--top", type=int, default=3, metavar="N", help="classes to print")
    args = parser.parse_args(arguments)
    try:
        classifier = Classifier(args.model, args.variant)
        products = list(_read_products(args, classifier.reader.inputs))
    except (OSError, ValueError) as error:
        print(error, file=sys.stderr)
        return 2
    failed = 0
    for name, row in products:
        try:
            answer = classifier.answer(row)
        except ValueError as error:
            failed += 1
            print(json.dumps({"id": name, "status": str(error)}))
            continue
        best = answer.scores.argsort()[::-1][: args.top]
        scores = {classifier.labels[at]: round(float(answer.scores[at]), 6) for at in best}
        told = {"id": name, "label": answer.label, "confidence": round(answer.confidence, 6)}
        print(json.dumps({**told, "scores": scores, "status": "ok"}, ensure_ascii=False))
    return 1 if failed else 0


def _read_products(args: argparse.Namespace, kinds: dict[str, str]) -> Iterator[tuple[str, Row]]:
    shared: Row = {}
    if args.text:
        shared[_only(kinds, "text")] = args.text.encode("utf-8")
    for given in args.value:
        name, _, value = given.partition("=")
        if name not in kinds:
            raise ValueError(
                f"Unknown input. Expected one of {sorted(kinds)}. Received: {given!r}."
            )
        if kinds[name] == "number":
            shared[name] = float(value)
        else:
            shared[name] = Path(value[1:]).read_bytes() if value[:1] == "@" else value.encode()
    if args.pictures:
        for path in sorted(of for of in args.pictures.iterdir() if of.is_file()):
            yield path.name, {**shared, _only(kinds, "image"): path.read_bytes()}
        return
    if args.picture:
        shared[_only(kinds, "image")] = args.picture.read_bytes()
    if not shared:
        raise ValueError("Nothing to classify: give --picture, --pictures, --text or --value.")
    yield args.picture.name if args.picture else "0", shared


def _only(kinds: dict[str, str], kind: str) -> str:
    """Returns the one input of a kind."""
    names = [name for name, of in kinds.items() if of == kind]
    if len(names) != 1:
        raise ValueError(
            f"The model has {len(names)} inputs of kind {kind!r}: name one with --value. "
            f"Expected some of {sorted(kinds)}."
        )
    return names[0]


if __name__ == "__main__":
    sys.exit(main())

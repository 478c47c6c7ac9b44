"""Tell what a model, an artifact or an answer was made from, back to the data.

  taxofuse pipeline lineage --workdir runs/1 runs/1/serving/3
  taxofuse pipeline lineage --workdir runs/1 answers.csv --out lineage.svg

Of every step: the code, the configuration, and what it read and made, by fingerprints of the
contents. The same is told of what was removed since.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from components.commands.workdir import add_workdir, find_root, opened
from components.lineage import trace
from components.lineage_target import find_target
from components.lineage_text import write_tree

HELP = "what a model, an artifact or an answer was made from"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declares the options of the sub-command."""
    add_workdir(parser)
    parser.add_argument(
        "target",
        type=Path,
        metavar="PATH",
        help="pushed version, folder of an artifact, or file of `taxofuse predict`",
    )
    parser.add_argument("--json", action="store_true", help="all of it, for programs")
    parser.add_argument("--out", type=Path, metavar="FILE.svg", help="draw it there too")


def run(args: argparse.Namespace) -> int:
    """Prints the lineage."""
    if args.out and args.out.suffix != ".svg":
        raise ValueError(f"--out must end in .svg. Received: {args.out}.")
    root = find_root(args)
    with opened(root) as metadata:
        lineage = trace(metadata, find_target(metadata, args.target))
    if args.out:
        from components.lineage_picture import draw
        from trainer.files import write_text

        write_text(args.out, draw(lineage))
    if args.json:
        print(json.dumps(lineage.to_dict(), indent=2, ensure_ascii=False))
    else:
        print(write_tree(lineage))
    return 0

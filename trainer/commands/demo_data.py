"""`taxofuse demo-data`: writes the demo catalogue."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

HELP = "write the demo catalogue: a table, pictures, and what is known about them"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declares the options of the command."""
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder to write")
    parser.add_argument(
        "--products", type=int, default=1200, metavar="N", help="rows of the table (default: 1200)"
    )
    parser.add_argument(
        "--seed", type=int, default=0, metavar="S", help="same seed, same files (default: 0)"
    )
    parser.add_argument(
        "--wrong-labels",
        type=float,
        metavar="SHARE",
        help="share of the rows that claim another class (default: 0.02)",
    )


def run(args: argparse.Namespace) -> int:
    """Writes the catalogue and prints the path of its table.

    Returns:
        0, or 2 where the folder or the number of products cannot be used.
    """
    from trainer.demo_catalogue.catalogue import write_demo_catalogue

    def report(done: int) -> None:
        if done % 200 == 0 or done == args.products:
            print(f"{done} of {args.products} products drawn", file=sys.stderr)

    shares = {} if args.wrong_labels is None else {"wrong_label_share": args.wrong_labels}
    try:
        table = write_demo_catalogue(
            args.out, num_products=args.products, seed=args.seed, progress=report, **shares
        )
    except (ValueError, FileExistsError) as error:
        print(error, file=sys.stderr)
        return 2
    print(table)
    return 0

"""Show what spoke for the labels of some products.

  taxofuse explain --model runs/1 --data new.csv --ids 17,23 --out why

Writes explanations.html, the pictures with a heat map, the texts with the words
that counted, and how far each input decided; and the same as explanations.json.
"""

from __future__ import annotations

import argparse
from pathlib import Path

HELP = "which words, picture regions and values decided about some products"
PAGE_FILE, DATA_FILE = "explanations.html", "explanations.json"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declares the options of the command."""
    parser.add_argument(
        "--model", type=Path, required=True, metavar="DIR", help="workdir or export"
    )
    parser.add_argument("--data", required=True, metavar="TABLE", help="CSV or Parquet file")
    parser.add_argument(
        "--ids",
        required=True,
        metavar="ID[,ID]",
        help="of the column id, or row numbers from 0 where there is none",
    )
    parser.add_argument("--out", type=Path, required=True, metavar="DIR")


def run(args: argparse.Namespace) -> int:
    """Writes the page and the data; prints the path of the page."""
    ids = [name.strip() for name in args.ids.split(",") if name.strip()]
    if not ids:
        raise ValueError(f"--ids must name at least one product. Received: {args.ids!r}.")
    from trainer.artefact import find_export
    from trainer.data.table import read_table

    find_export(args.model)
    table = read_table(args.data)
    from trainer.files import write_json
    from trainer.predictor import Predictor
    from trainer.report.explanation_page import write_explanation_page

    predictor = Predictor(args.model)
    products = list(predictor.explain(table, ids))
    told = [product.to_dict() for product in products]
    write_json(args.out / DATA_FILE, {"run": predictor.card.run, "products": told})
    write_explanation_page(args.out / PAGE_FILE, predictor.card.inputs, products)
    print(args.out / PAGE_FILE)
    return 0

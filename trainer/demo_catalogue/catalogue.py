"""Writes the demo catalogue: a table, its pictures, and what is known about them."""

from __future__ import annotations

import csv
import os
import tempfile
from collections.abc import Callable
from pathlib import Path

from trainer.demo_catalogue.evidence import write_evidence, write_slices
from trainer.demo_catalogue.plan import WRONG_LABEL_SHARE
from trainer.demo_catalogue.products import Product, generate_products

COLUMNS = ("id", "image", "title", "description", "price", "category", "subcategory")
_PICTURES = "images"
_CONTENT = {"products.csv", _PICTURES, "evidence.jsonl", "slices.csv", "README.txt"}
_README = """taxofuse demo catalogue: {num_products} products, seed {seed}

Drawn and written by a program; no product, brand or price is real.

products.csv   the table, UTF-8; an empty cell is a missing value
  id           name of the product
  image        its picture, relative to this folder
  title        English or Chinese
  description  English or Chinese
  price        euros
  category     upper level of the label
  subcategory  lower level of the label

What is known about the products; never an input of a model:

slices.csv     by id: needs, language, wrong_label
evidence.jsonl one JSON object a product
  needs            what tells its class from all others: picture, text, both
                   together, or either
  region           [left, top, right, bottom] of the deciding object in pixels,
                   or null
  words            deciding words, as they stand in title or description
  distractors      words of the description that point to another class
  language         en or zh
  true_label       the right "category > subcategory"
  wrong_label      true where products.csv says something else
  duplicate_group  shared by a product and its near-duplicates
  missing          columns that are empty in products.csv
  shape, topic     what was drawn, what was written about
"""


def write_demo_catalogue(
    out: Path,
    *,
    num_products: int = 1200,
    seed: int = 0,
    wrong_label_share: float = WRONG_LABEL_SHARE,
    progress: Callable[[int], None] | None = None,
) -> Path:
    """Writes the demo catalogue, whole or not at all.

    Args:
        out: Folder to write. An earlier demo catalogue there is replaced.
        num_products: int. At least one product a class.
        seed: int. The same seed gives the same files, byte for byte.
        wrong_label_share: float. Share of the rows that claim another class.
        progress: Called with the number of products done so far.

    Returns:
        Path of `products.csv`.

    Raises:
        ValueError: if there are fewer products than classes.
        FileExistsError: if `out` holds anything but a demo catalogue.
    """
    out = Path(out)
    products = generate_products(num_products, seed, wrong_label_share)
    _check_replaceable(out)
    target = out.resolve()
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{target.name}-", dir=target.parent) as temporary:
        folder = Path(temporary, "new")
        (folder / _PICTURES).mkdir(parents=True)
        written: list[Product] = []
        for product in products:
            if product.jpeg:
                (folder / _picture_name(product)).write_bytes(product.jpeg)
            written.append(product)
            if progress is not None:
                progress(len(written))
        _write_table(folder / "products.csv", written)
        write_evidence(folder / "evidence.jsonl", (each.evidence for each in written))
        write_slices(folder / "slices.csv", (each.evidence for each in written))
        readme = _README.format(num_products=num_products, seed=seed)
        (folder / "README.txt").write_text(readme, encoding="utf-8", newline="\n")
        if target.exists():
            os.replace(target, Path(temporary, "old"))
        os.replace(folder, target)
    return out / "products.csv"


def _check_replaceable(out: Path) -> None:
    if not out.exists():
        return
    found = {each.name for each in out.iterdir()} if out.is_dir() else None
    if found is None or (found and not ("evidence.jsonl" in found and found <= _CONTENT)):
        raise FileExistsError(
            "The demo catalogue replaces an empty folder or an earlier demo catalogue, "
            f"nothing else. Received: {out}, which is "
            + ("a file" if found is None else f"a folder with {sorted(found)[:5]}")
            + ". Name another folder."
        )


def _picture_name(product: Product) -> str:
    return f"{_PICTURES}/{product.id}.jpg"


def _write_table(path: Path, products: list[Product]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(COLUMNS)
        for each in products:
            writer.writerow(
                (
                    each.id,
                    _picture_name(each) if each.jpeg else "",
                    each.title,
                    each.description,
                    "" if each.price is None else f"{each.price:.2f}",
                    each.category,
                    each.subcategory,
                )
            )

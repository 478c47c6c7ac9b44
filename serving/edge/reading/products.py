"""Products that a folder of pictures or a table holds, one at a time."""

from __future__ import annotations

import csv
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from serving.edge.pictures.standardize import PictureError
from serving.edge.reading.files import SUFFIXES, load_file, load_path, show
from serving.edge.reading.values import Told

SEPARATORS = {".csv": ",", ".tsv": "\t"}
# The csv module stops at 131,072 characters a cell; descriptions may be longer.
_MAX_CELL = 2**31 - 1


@dataclass
class ToldProduct:
    """What is told of a product.

    Args:
        id: str.
        row: What is told of it by input name, see `ProductReader.read`.
        problems: What of it could not be found, `"<input>: <clause>"`.
        fault: Why there is no row; `""` where there is one.
    """

    id: str
    row: dict[str, Told | Sequence[Told]]
    problems: list[str] = field(default_factory=list)
    fault: str = ""


def read_folder(folder: Path, name: str, shared: Mapping[str, Told]) -> Iterator[ToldProduct]:
    """Yields a product for each picture of a folder; others are told of on stderr.

    Args:
        folder: Path.
        name: Of the input that takes pictures.
        shared: What all products have in common.

    Raises:
        OSError: if there is no such folder.
    """
    for path in sorted(of for of in folder.iterdir() if not of.is_dir()):
        if path.suffix.lower() not in SUFFIXES:
            print(f"Note: {path.name} is left out: no picture by its name.", file=sys.stderr)
            continue
        yield read_file(path, name, shared)


def read_file(path: Path, name: str, shared: Mapping[str, Told]) -> ToldProduct:
    """Returns the product of one picture; arguments as those of `read_folder`."""
    product = ToldProduct(path.name, dict(shared))
    try:
        product.row[name] = load_path(path, show(path.name))
    except PictureError as error:
        product.problems.append(f"{name}: {error}")
    return product


def read_table(
    path: Path,
    kinds: Mapping[str, str],
    columns: Mapping[str, Sequence[str]],
    shared: Mapping[str, Told],
) -> Iterator[ToldProduct]:
    """Yields a product for each row of a table.

    Args:
        path: A `.csv` (commas, UTF-8) or `.tsv`. An input is read from the column of
            its name, or else from the columns that it was trained with; pictures
            are paths relative to the table. A column `id` names the products.
        kinds: Of the inputs, by name.
        columns: What the inputs were trained with, by name.
        shared: What a product has that has no column.

    Raises:
        FileNotFoundError: if there is no such table.
        ValueError: if it has none of the columns, or one of them twice.
    """
    if path.suffix.lower() not in SEPARATORS:
        raise ValueError(f"A table must be one of {list(SEPARATORS)}. Received: {path}.")
    csv.field_size_limit(_MAX_CELL)
    # What is no UTF-8 is found again as surrogates, row by row.
    with path.open(encoding="utf-8-sig", errors="surrogateescape", newline="") as file:
        rows = csv.reader(file, delimiter=SEPARATORS[path.suffix.lower()], strict=True)
        header = [name.strip() for name in next(rows, [])]
        places = _find_places(path, header, kinds, columns)
        for index, (cells, fault) in enumerate(_go_on(rows, len(header))):
            told = dict(zip(header, cells, strict=False))
            product = ToldProduct(told.get("id", "").strip() or str(index), dict(shared), [], fault)
            if not fault:
                for name, of in places.items():
                    own = [cells[place] for place in of]
                    _add_cells(product, name, kinds[name], own, path.parent)
            yield product


def _go_on(rows: Any, num_columns: int) -> Iterator[tuple[list[str], str]]:
    """Yields the cells of each row, and what was wrong with it; empty lines are no rows."""
    while True:
        try:
            cells = next(rows)
        except StopIteration:
            return
        except csv.Error as error:
            yield [], f"broken CSV in line {rows.line_num}: {error}"
            continue
        if not cells and num_columns == 1:
            cells = [""]
        if len(cells) == num_columns:
            yield cells, ""
        elif any(cell.strip() for cell in cells):
            yield cells, f"{len(cells)} cells in a table of {num_columns} columns"


def _find_places(
    path: Path,
    header: Sequence[str],
    kinds: Mapping[str, str],
    columns: Mapping[str, Sequence[str]],
) -> dict[str, list[int]]:
    """Returns the places of the cells of each input that the table has."""
    read = {name: [name] if name in header else list(columns[name]) for name in kinds}
    places = {
        name: [header.index(of) for of in wanted if of in header] for name, wanted in read.items()
    }
    if not any(places.values()):
        raise ValueError(
            f"{path} has no column that the model reads. Expected some of {sorted(kinds)}, or "
            f"the columns that it was trained with. It has {header[:20]}."
        )
    used = {"id", *(of for wanted in read.values() for of in wanted)}
    if doubled := sorted(of for of in used if header.count(of) > 1):
        raise ValueError(f"Columns must have different names. {path} has {doubled} twice.")
    if missing := [of for wanted in read.values() for of in wanted if of not in header]:
        print(f"Note: {path} has no column {', '.join(map(repr, missing))}.", file=sys.stderr)
    return {name: of for name, of in places.items() if of}


def _add_cells(
    product: ToldProduct, name: str, kind: str, cells: Sequence[str], folder: Path
) -> None:
    filled = [cell for cell in cells if cell.strip()]
    if kind == "image":
        if filled:
            _add_picture(product, name, filled[0].strip(), folder)
        return
    texts = [cell.encode("utf-8", "surrogateescape").decode("utf-8", "replace") for cell in filled]
    if texts != filled:
        product.problems.append(f"{name}: not UTF-8; the broken characters were not read")
    # A column for the whole input has line breaks where there would be others.
    product.row[name] = texts[0] if texts and len(cells) == 1 else texts


def _add_picture(product: ToldProduct, name: str, text: str, folder: Path) -> None:
    try:
        product.row[name] = load_file(text, folder)
    except PictureError as error:
        product.problems.append(f"{name}: {error}")

"""How often a change of 5 % of the products is found, and how often one where there is none.

    python tests/benchmarks/drift.py [--items 2000] [--baseline 2000] [--out FILE.json]

Products of the demo catalogue are drawn once; of these, baseline and span are chosen anew
each time, so that they have no product in common and are of one population. ExampleValidator
compares them as it does in a pipeline, with its defaults, over all columns. Then 5 % of the
products of the span are changed in one way. Exit status 1: a bar was missed.
"""

from __future__ import annotations

import argparse
import functools
import io
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageEnhance, ImageFilter
from table import print_table, write_figures
from tensorflow_metadata.proto.v0 import statistics_pb2
from tqdm import tqdm

from components.example_validator.component import Parameters
from components.example_validator.executor import compare
from components.examples import Example
from components.statistics import picture_column
from components.statistics.infer_schema import infer_schema
from components.statistics.picture_measures import measure_picture
from components.statistics.schema_rules import SchemaRules
from components.statistics.split_summary import SplitSummary
from trainer.data.columns import Column
from trainer.demo_catalogue.catalogue import COLUMNS
from trainer.demo_catalogue.products import generate_products
from trainer.demo_catalogue.taxonomy import CLASSES, ProductClass

KINDS = ("id", "image", "text", "text", "number", "label", "label")
LABEL = ("category", "subcategory")
SHARE = 0.05
FOUND_BAR, FALSE_ALARM_BAR = 0.95, 0.01

Rows = list[Example]
Change = Callable[[Rows, np.random.Generator], Rows]


@dataclass(frozen=True)
class Scenario:
    """A change of 5 % of the products.

    Args:
        name: str. For the table.
        column: In which it is to be found.
        change: Returns the changed products.
        barred: Whether it must be found; what is common in other products cannot be.
    """

    name: str
    column: str
    change: Change
    barred: bool = True


def main() -> int:
    """Measures, prints a table, and writes JSON where asked to."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--items", type=int, default=2000, help="products of a span")
    parser.add_argument("--baseline", type=int, default=2000, help="products before")
    parser.add_argument("--drawn", type=int, default=6000, help="products to choose from")
    parser.add_argument("--stationary", type=int, default=100, help="spans without a change")
    parser.add_argument("--repeats", type=int, default=20, help="spans with each change")
    parser.add_argument("--out", type=Path, metavar="FILE.json")
    args = parser.parse_args()
    # Spans share products; each picture is measured once.
    picture_column.measure_picture = functools.cache(measure_picture)
    drawn = draw_products(args.drawn)
    rng = np.random.default_rng(0)

    def choose() -> tuple[Any, Rows]:
        chosen = rng.permutation(len(drawn))[: args.baseline + args.items]
        before, now = np.split(chosen, [args.baseline])
        return describe([drawn[place] for place in before]), [drawn[place] for place in now]

    alarms = []
    for _ in tqdm(range(args.stationary), desc="spans without a change"):
        before, now = choose()
        alarms.append(find(before, describe(now)))
    found: dict[str, list[bool]] = {scenario.name: [] for scenario in SCENARIOS}
    for _ in tqdm(range(args.repeats), desc="spans with changes"):
        before, now = choose()
        for scenario in SCENARIOS:
            columns = find(before, describe(scenario.change(now, rng)))
            found[scenario.name].append(scenario.column in columns)
    shares = {name: float(np.mean(hits)) for name, hits in found.items()}
    false_alarms = float(np.mean([bool(columns) for columns in alarms]))
    rows = [
        [each.name, f"{shares[each.name]:.0%}", "95%" if each.barred else ""] for each in SCENARIOS
    ]
    print_table(["5 % of the products", "found", "at least"], rows)
    print(f"\nfalse alarms: {false_alarms:.1%} of {args.stationary} spans (at most 1%)")
    write_figures(
        args.out,
        {
            "items": args.items,
            "baseline": args.baseline,
            "stationary": args.stationary,
            "repeats": args.repeats,
            "found": shares,
            "false_alarms": false_alarms,
        },
    )
    missed = [each for each in SCENARIOS if each.barred and shares[each.name] < FOUND_BAR]
    return int(bool(missed) or false_alarms > FALSE_ALARM_BAR)


def draw_products(count: int) -> Rows:
    """Returns products of the demo catalogue as examples."""
    rows = []
    for row, product in enumerate(
        tqdm(generate_products(count, seed=0), total=count, desc="drawing")
    ):
        cells = {
            "image": product.jpeg,
            "title": product.title.encode(),
            "description": product.description.encode(),
            "price": product.price,
            "category": product.category.encode(),
            "subcategory": product.subcategory.encode(),
        }
        values = {name: cell for name, cell in cells.items() if cell not in (None, b"")}
        rows.append(Example(product.id, row, values))
    return rows


def describe(rows: Rows) -> Any:
    """Returns the statistics of products, a `DatasetFeatureStatistics`."""
    columns = [Column(name, kind, "") for name, kind in zip(COLUMNS, KINDS, strict=True)]
    summary = SplitSummary(columns, LABEL)
    for row in rows:
        summary.add(row)
    dataset = statistics_pb2.DatasetFeatureStatistics()
    summary.write(dataset, "train")
    return dataset


def find(before: Any, now: Any) -> set[str]:
    """Returns the columns that ExampleValidator says have drifted."""
    schema = infer_schema({"train": before}, SchemaRules())
    findings = compare({"train": now}, {"train": before}, schema, Parameters())
    return {finding.column for finding in findings}


def among(column: str, change: Callable[[Example], dict[str, Any]]) -> Change:
    """Returns a change of 5 % of all products, of those that have something in a column."""

    def go(rows: Rows, rng: np.random.Generator) -> Rows:
        places = [place for place, row in enumerate(rows) if column in row.values]
        return _change(rows, rng, places, change)

    return go


def _change(
    rows: Rows,
    rng: np.random.Generator,
    places: Sequence[int],
    change: Callable[[Example], dict[str, Any]],
) -> Rows:
    chosen = set(rng.choice(places, round(SHARE * len(rows)), replace=False).tolist())
    return [_set(row, change(row)) if i in chosen else row for i, row in enumerate(rows)]


def _set(row: Example, cells: dict[str, Any]) -> Example:
    values = {**row.values, **cells}
    problems = tuple(f"{name}: truncated or broken" for name, cell in cells.items() if cell is None)
    return replace(
        row,
        values={name: cell for name, cell in values.items() if cell is not None},
        problems=problems,
    )


def move_class(rows: Rows, rng: np.random.Generator) -> Rows:
    """Moves products of one class, which has enough of them, to another class."""
    of_class: dict[Any, list[int]] = {}
    for place, row in enumerate(rows):
        of_class.setdefault(row.values["subcategory"], []).append(place)
    large = sorted(name for name, own in of_class.items() if len(own) >= SHARE * len(rows))
    source = large[rng.integers(len(large))]
    others = [each for each in CLASSES if each.subcategory.encode() != source]
    label = _label(others[rng.integers(len(others))])
    return _change(rows, rng, of_class[source], lambda row: label)


def label_alike(rows: Rows, rng: np.random.Generator) -> Rows:
    """Labels products of all classes as those of one class."""
    label = _label(CLASSES[rng.integers(len(CLASSES))])
    return _change(rows, rng, range(len(rows)), lambda row: label)


def _label(target: ProductClass) -> dict[str, bytes]:
    return {"category": target.category.encode(), "subcategory": target.subcategory.encode()}


def price(change: Callable[[float], float | None]) -> Change:
    """Returns a change of prices."""
    return among("price", lambda row: {"price": change(float(row.values["price"]))})


def text(name: str, change: Callable[[str], str]) -> Change:
    """Returns a change of texts."""
    return among(name, lambda row: {name: change(bytes(row.values[name]).decode()).encode()})


def picture(change: Callable[[Image.Image], Image.Image]) -> Change:
    """Returns a change of pictures."""

    def encode(row: Example) -> dict[str, bytes]:
        encoded = row.values["image"]
        assert isinstance(encoded, bytes)
        buffer = io.BytesIO()
        change(Image.open(io.BytesIO(encoded))).save(buffer, "JPEG", quality=90)
        return {"image": buffer.getvalue()}

    return among("image", encode)


_PLACEHOLDER = Image.new("RGB", (240, 240), (205, 205, 205))


def _darken(one: Image.Image) -> Image.Image:
    return ImageEnhance.Brightness(one).enhance(0.4)


def _blur(one: Image.Image) -> Image.Image:
    return one.filter(ImageFilter.GaussianBlur(4))


def _redden(one: Image.Image) -> Image.Image:
    return Image.blend(one, Image.new("RGB", one.size, "red"), 0.3)


SCENARIOS: Sequence[Scenario] = (
    Scenario("of one class are moved to another", "subcategory", move_class),
    Scenario("of all classes are labelled as one class", "subcategory", label_alike),
    Scenario("have prices in cents", "price", price(lambda value: 100 * value)),
    Scenario("have ten times their price", "price", price(lambda value: 10 * value)),
    Scenario("have a tenth of their price", "price", price(lambda value: value / 10)),
    Scenario("have one and the same price", "price", price(lambda value: 99.0)),
    Scenario("have twice their price", "price", price(lambda value: 2 * value), barred=False),
    Scenario("have a price that cannot be read", "price", price(lambda value: None)),
    Scenario("have a title of 10 characters", "title", text("title", lambda told: told[:10])),
    Scenario("have the same title", "title", text("title", lambda told: "sample product")),
    Scenario("tell it twice", "description", text("description", lambda told: told * 2)),
    Scenario("have dark pictures", "image", picture(_darken)),
    Scenario("have blurred pictures", "image", picture(_blur)),
    Scenario("have pictures of half the size", "image", picture(lambda one: one.reduce(2))),
    Scenario("have reddish pictures", "image", picture(_redden)),
    Scenario("show the same placeholder", "image", picture(lambda one: _PLACEHOLDER)),
    Scenario("have broken pictures", "image", among("image", lambda row: {"image": None})),
)

if __name__ == "__main__":
    sys.exit(main())

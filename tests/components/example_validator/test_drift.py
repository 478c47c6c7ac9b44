"""On labels and prices of the demo catalogue, a shift of 5 % is found within 2,000 items.

`tests/benchmarks/drift.py` does the same with pictures and texts.
"""

import importlib
import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from tensorflow_metadata.proto.v0 import statistics_pb2

from components.example_validator.component import Parameters
from components.example_validator.executor import compare
from components.examples import Example
from components.statistics.infer_schema import infer_schema
from components.statistics.schema_rules import SchemaRules
from components.statistics.split_summary import SplitSummary
from trainer.data.columns import Column
from trainer.demo_catalogue.plan import plan_products
from trainer.demo_catalogue.taxonomy import CLASSES

ITEMS = 2000
LABEL = ("category", "subcategory")
COLUMNS = [Column("price", "number", ""), *(Column(name, "label", "") for name in LABEL)]


@pytest.fixture(scope="module")
def drawn():
    """Products to choose from."""
    rows = []
    for row, plan in enumerate(plan_products(20_000, seed=3)):
        values = label_of(plan.labelled_as)
        if "price" not in plan.missing:
            values["price"] = float(np.float32(plan.price))
        rows.append(Example(str(row), row, values))
    return rows


@pytest.fixture
def choose(drawn):
    """Returns a function that chooses products before and now, none of them the same."""
    rng = np.random.default_rng(0)

    def go():
        chosen = rng.permutation(len(drawn))[: 2 * ITEMS]
        return [drawn[i] for i in chosen[:ITEMS]], [drawn[i] for i in chosen[ITEMS:]]

    return go


def label_of(product_class):
    levels = (product_class.category, product_class.subcategory)
    return {name: level.encode() for name, level in zip(LABEL, levels, strict=True)}


def describe(rows):
    summary = SplitSummary(COLUMNS, LABEL)
    for row in rows:
        summary.add(row)
    dataset = statistics_pb2.DatasetFeatureStatistics()
    summary.write(dataset, "train")
    return {"train": dataset}


def drifted(before, now):
    """Returns the columns that have drifted, with the defaults of the components."""
    before = describe(before)
    schema = infer_schema(before, SchemaRules())
    return {one.column for one in compare(describe(now), before, schema, Parameters())}


def change(rows, eligible, values):
    """Returns rows of which as many as 5 % of all, of the eligible ones, have other values."""
    places = [place for place, row in enumerate(rows) if eligible(row)][: ITEMS // 20]
    assert len(places) >= 0.9 * ITEMS // 20
    changed = dict.fromkeys(places)
    return [
        replace(row, values={**row.values, **values(row)}) if place in changed else row
        for place, row in enumerate(rows)
    ]


@pytest.mark.parametrize("source", ["Smart speaker", "Robot arm", "Sports ring"])
def test_products_that_move_to_another_class_are_found(choose, source):
    for target in CLASSES[5::9]:
        before, now = choose()
        moved = change(
            now,
            lambda row: row.values["subcategory"] == source.encode(),
            lambda row, target=target: label_of(target),
        )
        assert "subcategory" in drifted(before, moved)


@pytest.mark.parametrize("target", CLASSES[::3], ids=lambda one: one.subcategory)
def test_products_of_all_classes_that_are_labelled_alike_are_found(choose, target):
    before, now = choose()
    labelled = change(now, lambda row: True, lambda row: label_of(target))
    assert "subcategory" in drifted(before, labelled)


@pytest.mark.parametrize("factor", [100, 10, 0.1, 0])
def test_prices_that_are_wrong_are_found(choose, factor):
    for _ in range(3):
        before, now = choose()
        wrong = change(
            now,
            lambda row: "price" in row.values,
            lambda row: {"price": factor * row.values["price"]},
        )
        assert drifted(before, wrong) == {"price"}


def test_at_most_one_of_100_stationary_spans_is_a_false_alarm(choose):
    alarms = [drifted(*choose()) for _ in range(100)]
    assert sum(map(bool, alarms)) <= 1, alarms


@pytest.fixture
def step(tmp_path):
    """Returns a function that runs a component, and returns the folder of its one output."""

    def go(package, name, inputs=None, **parameters):
        component = importlib.import_module(f"components.{package}.component").COMPONENT
        folder, scratch = tmp_path / name, tmp_path / f"{name}-scratch"
        folder.mkdir()
        scratch.mkdir()
        importlib.import_module(component.executor).execute(
            inputs or {},
            dict.fromkeys(component.outputs, folder),
            component.make_parameters(parameters),
            scratch,
        )
        return folder

    return go


def write_span(path, span, factor=1.0):
    """Writes 500 products, of which every twentieth has its price times a factor."""
    rng = np.random.default_rng(span)
    prices = np.round(rng.lognormal(4, 0.5, 500), 2)
    prices[::20] *= factor
    table = {
        "id": [f"{span}-{row}" for row in range(500)],
        "price": prices,
        "category": rng.choice(["lamp", "watch", "shirt"], 500),
    }
    pd.DataFrame(table).to_csv(path, index=False)


@pytest.mark.parametrize(("factor", "found"), [(100, {"price"}), (1, set())])
def test_rows_that_are_learned_again_do_not_hide_what_is_new(tmp_path, step, factor, found):
    """Of the new rows 5 % are wrong; of these and those of three earlier spans, 1.5 %."""
    for span in range(4):
        write_span(tmp_path / f"{span}.csv", span, factor if span == 3 else 1)
    table = {"table": str(tmp_path / "{SPAN}.csv"), "label": ["category"]}
    spans = {
        "before": step("example_gen", "first", **table, span=0),
        "now": step("example_gen", "last", **table, span=3, earlier=[0, 1, 2], rehearse=1.0),
    }
    before, now = (
        step("statistics_gen", name, {"examples": examples}) for name, examples in spans.items()
    )
    schema = step("schema_gen", "schema", {"statistics": now})
    inputs = {"statistics": now, "schema": schema, "baseline": before}
    folder = step("example_validator", "anomalies", inputs)
    told = json.loads((folder / "anomalies.json").read_text())["anomalies"]
    assert {one["column"] for one in told if one["kind"] == "drift"} == found
    assert [one for one in told if one["kind"] == "skew"] == []
    assert ("of those now" in (folder / "anomalies.html").read_text()) == bool(found)

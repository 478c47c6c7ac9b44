"""Runs the three steps from products to what is wrong with them."""

import json

import pytest

from components.example_validator.component import COMPONENT
from components.example_validator.executor import execute
from components.schema_gen.component import Parameters
from components.statistics.files import read_statistics
from components.statistics.infer_schema import infer_schema
from components.statistics.schemas import write_schema


@pytest.fixture(scope="module")
def splits(shop):
    """Products with which nothing is wrong."""
    products = shop.products(500)
    return {"train": products[:400], "eval": products[400:450], "test": products[450:]}


@pytest.fixture
def validate(shop, tmp_path):
    """Returns a function that validates products with the schema of others.

    Returns what is in `anomalies.json`; `go.folder` is that of the artifact.
    """

    def go(splits, expected=None, baseline=None, schema=None, schema_parameters=None, **parameters):
        statistics = shop.write_statistics(tmp_path / "statistics", splits)
        good = shop.write_statistics(tmp_path / "expected", expected or splits)
        if schema is None:
            schema = infer_schema(read_statistics(good), Parameters(**(schema_parameters or {})))
        write_schema(tmp_path / "schema", schema)
        before = baseline and shop.write_statistics(tmp_path / "baseline", baseline)
        go.properties = run(statistics, tmp_path / "schema", before, go.folder, parameters)
        return json.loads((go.folder / "anomalies.json").read_text())["anomalies"]

    go.folder = tmp_path / "anomalies"
    return go


def run(statistics, schema, baseline, folder, parameters):
    folder.mkdir(exist_ok=True)
    inputs = {"statistics": statistics, "schema": schema, "baseline": baseline}
    values = COMPONENT.make_parameters(parameters)
    return execute(inputs, {"anomalies": folder}, values, folder)

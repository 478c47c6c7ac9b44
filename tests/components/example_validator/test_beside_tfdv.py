"""TensorFlow Data Validation's own checks, where its native part is installed.

    pip install --no-deps tensorflow-data-validation==1.16.1

What it depends on does not go together with our versions; the native part needs none of it.
"""

import dataclasses
import importlib.util
from pathlib import Path

import pytest
from tensorflow_metadata.proto.v0 import anomalies_pb2, schema_pb2

from components.statistics.files import read_statistics
from components.statistics.infer_schema import infer_schema
from components.statistics.schema_rules import SchemaRules
from components.statistics.schemas import by_name, check_schema, domain_of

ANOMALIES = anomalies_pb2.AnomalyInfo


@pytest.fixture(scope="module")
def tfdv():
    """Returns the functions of its native part."""
    package = importlib.util.find_spec("tensorflow_data_validation")
    folders = package.submodule_search_locations if package else []
    found = [path for folder in folders for path in Path(folder).glob("pywrap/*_extension*.so")]
    if not found:
        pytest.skip("needs tensorflow-data-validation")
    spec = importlib.util.spec_from_file_location("tensorflow_data_validation_extension", found[0])
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.validation


@pytest.fixture
def anomalies_of(tfdv):
    """Returns a function that has it validate the statistics of a split."""

    def go(dataset, schema, before=None, environment=b"TRAINING"):
        previous = before.SerializeToString() if before else b""
        told = tfdv.ValidateFeatureStatistics(
            dataset.SerializeToString(),
            schema.SerializeToString(),
            environment,
            previous,
            *[b""] * 4,
            False,
        )
        return anomalies_pb2.Anomalies.FromString(told)

    return go


@pytest.fixture(scope="module")
def good(shop, splits, tmp_path_factory):
    """Statistics of good products, and the schema that they ask for."""
    folder = tmp_path_factory.mktemp("statistics")
    datasets = read_statistics(shop.write_statistics(folder, splits))
    return datasets, infer_schema(datasets, SchemaRules(ranges={"price": [0, 50_000]}))


def test_it_finds_nothing_wrong_with_good_products(good, anomalies_of):
    datasets, schema = good
    for dataset in datasets.values():
        assert not anomalies_of(dataset, schema).anomaly_info


def test_it_infers_the_same_types_and_domains(good, tfdv):
    datasets, schema = good
    told = tfdv.InferSchema(datasets["train"].SerializeToString(), 100, False)
    theirs = schema_pb2.Schema.FromString(told)
    check_schema(theirs)
    features = by_name(theirs)
    assert {name: one.type for name, one in features.items()} == {
        name: one.type for name, one in by_name(schema).items()
    }
    for name in ("colour", "category", "subcategory", "taxofuse/label"):
        assert domain_of(theirs, features[name]) == domain_of(schema, by_name(schema)[name])


@pytest.mark.parametrize(
    ("column", "cells", "rows", "wanted"),
    [
        ("colour", {"colour": b"mauve"}, 2, "ENUM_TYPE_UNEXPECTED_STRING_VALUES"),
        ("subcategory", {"subcategory": b"Drone"}, 1, "ENUM_TYPE_UNEXPECTED_STRING_VALUES"),
        ("price", {"price": 1e6}, 1, "FLOAT_TYPE_BIG_FLOAT"),
        ("price", {"price": -1.0}, 1, "FLOAT_TYPE_SMALL_FLOAT"),
        ("title", {"title": None}, 200, "FEATURE_TYPE_LOW_FRACTION_PRESENT"),
        ("image", {"image": b"no picture"}, 10, "LOW_SUPPORTED_IMAGE_FRACTION"),
        ("colour", {"colour": None}, 400, "FEATURE_TYPE_NOT_PRESENT"),
    ],
)
def test_it_finds_what_we_find(
    shop, splits, good, anomalies_of, validate, column, cells, rows, wanted
):
    _, schema = good
    changed = [shop.change(one, **cells) for one in splits["train"][:rows]]
    changed += splits["train"][rows:]
    validate({**splits, "train": changed}, schema=schema)
    ours = anomalies_pb2.Anomalies.FromString(
        (validate.folder / "Split-train" / "SchemaDiff.pb").read_bytes()
    )
    dataset = read_statistics(validate.folder.parent / "statistics")["train"]
    theirs = anomalies_of(dataset, schema)
    for anomalies in (ours, theirs):
        told = {ANOMALIES.Type.Name(one.type) for one in anomalies.anomaly_info[column].reason}
        assert wanted in told


def test_it_finds_a_missing_column_as_we_do(splits, good, anomalies_of, validate):
    datasets, _ = good
    schema = infer_schema(datasets, SchemaRules())
    schema.feature.add(name="weight", type=schema_pb2.FLOAT).presence.min_count = 1
    validate(splits, schema=schema)
    ours = anomalies_pb2.Anomalies.FromString(
        (validate.folder / "Split-train" / "SchemaDiff.pb").read_bytes()
    )
    for anomalies in (ours, anomalies_of(datasets["train"], schema)):
        reasons = [one.type for one in anomalies.anomaly_info["weight"].reason]
        assert reasons == [ANOMALIES.SCHEMA_MISSING_COLUMN]


def test_it_finds_a_shift_of_the_label(shop, splits, good, anomalies_of):
    datasets, schema = good
    moved = [shop.change(one, category=b"Home", subcategory=b"Plug") for one in splits["train"]]
    dataset = type(datasets["train"])()
    shop.summarize(moved).write(dataset, "train")
    found = anomalies_of(dataset, schema, before=datasets["train"]).anomaly_info
    assert found["subcategory"].reason[0].type == ANOMALIES.COMPARATOR_L_INFTY_HIGH


def test_rows_to_be_answered_need_no_label(shop, splits, good, anomalies_of):
    datasets, schema = good
    unlabeled = [
        dataclasses.replace(shop.change(one, category=None, subcategory=None))
        for one in splits["train"]
    ]
    dataset = type(datasets["train"])()
    shop.summarize(unlabeled).write(dataset, "unlabeled")
    assert anomalies_of(dataset, schema).anomaly_info
    assert not anomalies_of(dataset, schema, environment=b"SERVING").anomaly_info

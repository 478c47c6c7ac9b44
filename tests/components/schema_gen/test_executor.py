"""A schema is what the examples are like, or what a person says."""

import pytest
from google.protobuf import text_format
from tensorflow_metadata.proto.v0 import schema_pb2

from components.schema_gen.component import COMPONENT
from components.schema_gen.executor import execute
from components.statistics.schemas import by_name, domain_of, is_expected, read_schema


@pytest.fixture
def generate(tmp_path):
    """Returns a function that runs SchemaGen and returns the schema."""

    def go(statistics, **parameters):
        folder = tmp_path / "schema"
        folder.mkdir(exist_ok=True)
        values = COMPONENT.make_parameters(parameters)
        execute({"statistics": statistics}, {"schema": folder}, values, tmp_path)
        schema = schema_pb2.Schema()
        text_format.Parse((folder / "schema.pbtxt").read_text(encoding="utf-8"), schema)
        assert read_schema(folder) == schema
        return schema

    return go


@pytest.fixture(scope="module")
def statistics(shop, tmp_path_factory):
    products = [shop.change(one, title="智能灯".encode()) for one in shop.products(100)]
    folder = tmp_path_factory.mktemp("statistics")
    return shop.write_statistics(folder, {"train": products[:80], "eval": products[80:]})


def test_types_and_domains(statistics, generate):
    schema = generate(statistics)
    features = by_name(schema)
    assert features["price"].type == schema_pb2.FLOAT
    assert {features[name].type for name in ("image", "title", "colour", "id")} == {
        schema_pb2.BYTES
    }
    assert domain_of(schema, features["colour"]) == {"red", "green", "blue"}
    assert domain_of(schema, features["subcategory"]) == {"Lamp", "Plug", "Watch", "Ring"}
    assert domain_of(schema, features["taxofuse/label"]) == {
        "Home > Lamp",
        "Home > Plug",
        "Worn > Watch",
        "Worn > Ring",
    }
    assert domain_of(schema, features["title"]) is None
    assert features["title"].WhichOneof("domain_info") == "natural_language_domain"
    sound = features["image"].image_domain.minimum_supported_image_fraction
    assert sound == pytest.approx(0.99)
    assert features["image"].annotation.tag == ["image"]


def test_presence(statistics, generate):
    features = by_name(generate(statistics, presence_margin=0.03))
    assert features["category"].presence.min_fraction == 1
    assert 0.7 < features["price"].presence.min_fraction < 0.95
    assert not features["note"].HasField("presence")
    assert features["note"].lifecycle_stage == schema_pb2.DISABLED


def test_what_is_to_be_answered_has_no_label(statistics, generate):
    schema = generate(statistics)
    expected = [
        feature.name for feature in schema.feature if not is_expected(schema, feature, "SERVING")
    ]
    assert expected == ["category", "subcategory", "taxofuse/label"]


def test_the_joined_label_is_known_to_be_derived(statistics, generate):
    feature = by_name(generate(statistics))["taxofuse/label"]
    assert feature.lifecycle_stage == schema_pb2.VALIDATION_DERIVED
    assert [path.step[0] for path in feature.validation_derived_source.source_path] == [
        "category",
        "subcategory",
    ]


def test_ranges_are_open_unless_a_parameter_says_so(statistics, generate):
    domain = by_name(generate(statistics))["price"].float_domain
    assert not domain.HasField("min")
    assert not domain.HasField("max")
    domain = by_name(generate(statistics, ranges={"price": [0, None]}))["price"].float_domain
    assert domain.min == 0
    assert not domain.HasField("max")
    domain = by_name(generate(statistics, infer_ranges=True))["price"].float_domain
    assert 0 < domain.min < domain.max


def test_comparators_are_those_of_the_parameters(statistics, generate):
    features = by_name(generate(statistics, drift_threshold=0.1, skew_threshold=0.2))
    assert features["colour"].drift_comparator.infinity_norm.threshold == 0.1
    assert features["subcategory"].skew_comparator.infinity_norm.threshold == 0.2
    assert not features["price"].HasField("drift_comparator")


def test_too_many_values_are_no_domain(statistics, generate):
    schema = generate(statistics, max_domain_size=2)
    features = by_name(schema)
    assert domain_of(schema, features["colour"]) is None
    assert domain_of(schema, features["subcategory"]) is not None


def test_a_schema_of_a_person_is_used_as_it_is(statistics, generate, tmp_path):
    file = tmp_path / "mine.pbtxt"
    file.write_text('# prices in euros\nfeature { name: "price" type: FLOAT }\n')
    schema = generate(statistics, schema_file=str(file))
    assert [feature.name for feature in schema.feature] == ["price"]
    assert (tmp_path / "schema" / "schema.pbtxt").read_text() == file.read_text()
    parameters = COMPONENT.make_parameters({"schema_file": str(file)})
    assert COMPONENT.reads(parameters) == [file]
    assert COMPONENT.reads(COMPONENT.make_parameters({})) == []


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("feature {", "is no schema of tensorflow-metadata"),
        ("feature { nam: 1 }", "is no schema of tensorflow-metadata"),
        ('feature { name: "a" type: INT } feature { name: "a" type: INT }', "'a' is there twice"),
        ("feature { type: INT }", "every feature needs a name"),
        ('feature { name: "a" }', "'a' has no type"),
        ('feature { name: "a" type: BYTES domain: "b" }', r"has the domain 'b'. Expected one of"),
        ('feature { name: "a" type: BYTES float_domain {} }', "has a float_domain, but another"),
        ('feature { name: "a" type: FLOAT float_domain { min: 2 max: 1 } }', "nothing does"),
        ('feature { name: "a" type: INT presence { min_fraction: 2 } }', "is a share"),
    ],
)
def test_a_schema_that_contradicts_itself_is_refused(statistics, generate, tmp_path, text, told):
    file = tmp_path / "mine.pbtxt"
    file.write_text(text)
    with pytest.raises(ValueError, match=told) as caught:
        generate(statistics, schema_file=str(file))
    assert str(file) in str(caught.value)


def test_a_missing_schema_is_named(statistics, generate, tmp_path):
    with pytest.raises(FileNotFoundError, match=r"No schema: .*none.pbtxt"):
        generate(statistics, schema_file=str(tmp_path / "none.pbtxt"))


@pytest.mark.parametrize(
    ("parameters", "told"),
    [
        ({"ranges": {"prise": [0, 1]}}, r"Unknown column of numbers.*Did you mean 'price'"),
        ({"ranges": {"price": 3}}, "price=3"),
        ({"ranges": {"price": [2, 1]}}, "'price' ends before it begins"),
        ({"max_broken": 2}, "max_broken is a share"),
    ],
)
def test_parameters_that_cannot_be_are_refused(statistics, generate, parameters, told):
    with pytest.raises(ValueError, match=told):
        generate(statistics, **parameters)


def test_without_rows_for_training_all_splits_are_looked_at(shop, generate, tmp_path):
    products = {"train": [], "eval": shop.products(30)}
    schema = generate(shop.write_statistics(tmp_path / "statistics", products))
    assert domain_of(schema, by_name(schema)["colour"]) == {"red", "green", "blue"}

"""Every way in which examples go wrong is caught, with the column and the records named."""

import dataclasses
import io

import numpy as np
import pytest
from PIL import Image
from tensorflow_metadata.proto.v0 import anomalies_pb2, schema_pb2

from components.example_validator.component import COMPONENT
from components.schema_gen.component import Parameters
from components.statistics.files import read_statistics
from components.statistics.infer_schema import infer_schema
from components.statistics.schemas import by_name


def only(found, **wanted):
    """Returns the one finding that has what is wanted."""
    fitting = [one for one in found if all(one[name] == value for name, value in wanted.items())]
    assert len(fitting) == 1, found
    return fitting[0]


def change_train(splits, rows, change):
    """Returns the splits with some rows of train changed."""
    train = [change(one) if row in rows else one for row, one in enumerate(splits["train"])]
    return {**splits, "train": train}


def test_nothing_is_wrong_with_good_products(splits, validate):
    assert validate(splits, baseline=splits) == []
    assert validate.properties == {"anomalies": {"error": 0, "warning": 0, "drifted": []}}
    assert "Nothing was found" in (validate.folder / "anomalies.html").read_text()


def test_a_column_without_values(shop, splits, validate):
    without = {
        split: [shop.change(one, colour=None) for one in products]
        for split, products in splits.items()
    }
    found = validate(without, expected=splits)
    assert {one["split"] for one in found} == {"train", "eval", "test"}
    one = only(found, split="eval", column="colour", kind="empty_column", severity="error")
    assert one["message"] == "All cells of the column 'colour' are empty."


@pytest.fixture
def schema(shop, splits, tmp_path):
    """The schema that good products ask for."""
    folder = shop.write_statistics(tmp_path / "good", splits)
    return infer_schema(read_statistics(folder), Parameters())


def test_a_missing_column(splits, validate, schema):
    schema.feature.add(name="weight", type=schema_pb2.FLOAT).presence.min_count = 1
    found = validate(splits, schema=schema)
    one = only(found, split="train", column="weight", kind="missing_column", severity="error")
    assert one["message"] == "The column 'weight' is missing."


def test_a_new_column(splits, validate, schema):
    schema.feature.remove(by_name(schema)["colour"])
    one = only(validate(splits, schema=schema), split="train", kind="new_column")
    assert (one["column"], one["severity"]) == ("colour", "warning")


def test_a_column_of_another_type(splits, validate, schema):
    by_name(schema)["price"].type = schema_pb2.BYTES
    by_name(schema)["price"].ClearField("float_domain")
    one = only(validate(splits, schema=schema), split="eval", kind="type_change")
    assert one["message"] == "The column 'price' must be BYTES and is FLOAT."


def test_a_column_that_is_taken_for_another_kind(splits, validate, schema):
    by_name(schema)["colour"].annotation.tag[:] = ["text"]
    one = only(validate(splits, schema=schema), split="eval", kind="kind_change")
    assert "'colour' was taken for 'text' and is now taken for 'category'" in one["message"]


def test_a_few_cells_of_another_type(shop, splits, validate):
    changed = change_train(splits, {2, 5}, lambda one: shop.change(one, price=b"12 euros"))
    one = only(validate(changed, expected=splits), column="price", kind="type_change")
    assert (one["split"], one["severity"]) == ("train", "error")
    assert one["ids"] == ["p2", "p5"]


def test_a_new_category_and_a_new_label(shop, splits, validate):
    changed = change_train(
        splits, {7, 9}, lambda one: shop.change(one, colour=b"mauve", subcategory=b"Drone")
    )
    found = validate(changed, expected=splits)
    one = only(found, column="colour", kind="new_value")
    assert (one["split"], one["severity"], one["ids"]) == ("train", "warning", ["p7", "p9"])
    assert "'mauve' (2)" in one["message"]
    one = only(found, column="subcategory", kind="new_value")
    assert (one["severity"], one["figures"]["values"]) == ("error", {"Drone": 2})
    one = only(found, column="taxofuse/label", kind="new_value")
    assert "> Drone'" in one["message"]


def test_a_new_label_is_found_beside_the_baseline_even_if_the_schema_knows_it(
    shop, splits, validate
):
    changed = change_train(splits, {7}, lambda one: shop.change(one, subcategory=b"Drone"))
    found = validate(changed, baseline=splits)
    one = only(found, column="subcategory", kind="new_value")
    assert one["ids"] == ["p7"]
    assert "has values that the span before does not know: 'Drone' (1)" in one["message"]


def test_a_price_out_of_range(shop, splits, validate):
    changed = change_train(splits, {3}, lambda one: shop.change(one, price=1e6))
    changed = change_train(changed, {4, 5}, lambda one: shop.change(one, price=-1.0))
    found = validate(changed, splits, schema_parameters={"ranges": {"price": [0, 50_000]}})
    high, low = (
        only(found, kind="out_of_range", figures=figures)
        for figures in (
            {"limit": 50_000.0, "highest": 1e6, "rows": 1.0},
            {"limit": 0.0, "lowest": -1.0, "rows": 2.0},
        )
    )
    assert (high["column"], high["split"], high["ids"]) == ("price", "train", ["p3"])
    assert low["ids"] == ["p4", "p5"]
    assert (
        "must be at most 50000. 1 of its numbers are above; the highest is 1e+06"
        in (high["message"])
    )


def test_numbers_that_are_none(shop, splits, validate):
    changed = change_train(splits, {3}, lambda one: shop.change(one, price=float("nan")))
    changed = change_train(changed, {4}, lambda one: shop.change(one, price=float("inf")))
    one = only(validate(changed, expected=splits), kind="not_a_number")
    assert "'price' has 2 values" in one["message"]


@pytest.mark.parametrize(("count", "severity"), [(1, "warning"), (20, "error")])
def test_broken_pictures(shop, splits, validate, count, severity):
    problems = ("image: file not found: a.jpg",)
    broken = [
        dataclasses.replace(shop.change(one, image=None), problems=problems)
        for one in splits["train"][:count]
    ]
    changed = {**splits, "train": [*broken, *splits["train"][count:]]}
    one = only(validate(changed, expected=splits), kind="broken_pictures")
    assert (one["column"], one["severity"]) == ("image", severity)
    assert one["ids"] == [f"p{row}" for row in range(count)]
    assert one["figures"]["broken"] == count
    assert "first 'p0': file not found: a.jpg" in one["message"]


@pytest.mark.parametrize(("count", "severity"), [(1, "warning"), (2, "error")])
def test_as_many_broken_pictures_as_may_be(shop, splits, validate, count, severity):
    good = [one for one in splits["train"] if "image" in one.values][:100]
    changed = [shop.change(one, image=b"no picture") for one in good[:count]] + good[count:]
    one = only(validate({**splits, "train": changed}, expected=splits), kind="broken_pictures")
    assert one["severity"] == severity
    assert f"{count} of 100 pictures" in one["message"]
    assert "at most 1.0% may be so" in one["message"]


def test_pictures_that_cannot_be_decoded_are_broken_too(shop, splits, validate):
    changed = change_train(splits, {11}, lambda one: shop.change(one, image=b"no picture"))
    assert only(validate(changed, expected=splits), kind="broken_pictures")["ids"] == ["p11"]


def test_too_few_filled_cells(shop, splits, validate):
    changed = change_train(splits, range(100), lambda one: shop.change(one, title=None))
    one = only(validate(changed, expected=splits), kind="low_presence")
    assert (one["column"], one["severity"]) == ("title", "error")


def test_a_label_is_missing(shop, splits, validate):
    changed = change_train(splits, {0}, lambda one: shop.change(one, subcategory=None))
    found = validate(changed, expected=splits)
    assert only(found, kind="low_presence", column="subcategory")["split"] == "train"


def test_rows_without_a_label_need_none(shop, splits, validate):
    unlabeled = [shop.change(one, category=None, subcategory=None) for one in splits["test"]]
    assert validate({**splits, "unlabeled": unlabeled}, expected=splits, baseline=splits) == []


def test_a_shift_of_the_label(shop, splits, validate):
    rng = np.random.default_rng(0)
    changed = {
        split: [
            shop.change(one, subcategory=b"Plug", category=b"Home")
            if one.values["subcategory"] == b"Lamp" and rng.random() < 0.8
            else one
            for one in products
        ]
        for split, products in splits.items()
    }
    found = validate(changed, expected=splits, baseline=splits)
    drifted = {one["column"] for one in found if one["kind"] == "drift"}
    assert drifted == {"subcategory", "taxofuse/label"}
    one = only(found, kind="drift", column="subcategory")
    assert (one["measure"], one["split"]) == ("value", "")
    assert one["figures"]["p_value"] < 1e-6
    assert one["figures"]["where"] in ("'Lamp'", "'Plug'")
    assert validate.properties["anomalies"]["drifted"] == ["subcategory", "taxofuse/label"]
    html = (validate.folder / "anomalies.html").read_text(encoding="utf-8")
    assert '<th scope="row">Home &gt; Plug</th>' in html


def test_a_shift_of_prices_is_drawn(shop, splits, validate):
    dearer = {
        split: [
            shop.change(one, price=10 * one.values["price"]) if "price" in one.values else one
            for one in products
        ]
        for split, products in splits.items()
    }
    found = validate(dearer, expected=splits, baseline=splits)
    measured = {(one["column"], one["measure"]) for one in found}
    assert measured == {("price", "value"), ("price", "by label")}
    html = (validate.folder / "anomalies.html").read_text(encoding="utf-8")
    assert 'aria-label="Histogram, before' in html


def test_skew_between_train_and_eval(shop, splits, validate):
    changed = {**splits, "eval": [shop.change(one, colour=b"red") for one in splits["eval"]]}
    one = only(validate(changed, expected=splits), kind="skew", measure="value")
    assert (one["split"], one["column"]) == ("eval", "colour")
    assert "'red'" in one["message"]


def test_records_of_train_in_eval(shop, splits, validate):
    first, second, third = splits["train"][10], splits["train"][11], splits["train"][13]
    title = first.values["title"].decode().upper().replace(" ", "  ").encode()
    picture = second.values["image"]
    twins = [
        dataclasses.replace(shop.change(splits["eval"][0], title=title), id="same words"),
        dataclasses.replace(shop.change(splits["eval"][1], image=picture), id="same picture"),
        dataclasses.replace(third, id="same product"),
    ]
    found = validate({**splits, "eval": [*twins, *splits["eval"][3:]]}, expected=splits)
    words = only(found, kind="shared_records", column="")
    assert words["split"] == "eval"
    assert words["severity"] == "error"
    assert sorted(words["figures"]["pairs"]) == [["same product", "p13"], ["same words", "p10"]]
    picture = only(found, kind="shared_records", column="image")
    assert sorted(picture["figures"]["pairs"]) == [["same picture", "p11"], ["same product", "p13"]]
    assert "'same picture' and 'p11'" in picture["message"]


def test_a_picture_stored_anew_in_eval(shop, splits, validate):
    train = splits["train"][12]
    buffer = io.BytesIO()
    Image.open(io.BytesIO(train.values["image"])).save(buffer, "JPEG", quality=90)
    twin = shop.change(splits["eval"][0], image=buffer.getvalue())
    found = validate({**splits, "eval": [twin, *splits["eval"][1:]]}, expected=splits)
    one = only(found, kind="similar_records")
    assert (one["severity"], one["figures"]["pairs"]) == ("warning", [[twin.id, train.id]])


def test_an_empty_split(splits, validate):
    one = only(validate({**splits, "eval": []}, expected=splits), kind="empty_split")
    assert (one["split"], one["severity"]) == ("eval", "error")
    without = {"train": splits["train"]}
    assert only(validate(without, expected=splits), kind="empty_split")["split"] == "eval"
    assert validate(without, expected=splits, required_splits=["train"]) == []


def test_the_step_fails_where_it_is_asked_to(shop, splits, validate):
    changed = change_train(splits, {7}, lambda one: shop.change(one, colour=b"mauve"))
    assert len(validate(changed, expected=splits, fail_on=["error"])) == 1
    with pytest.raises(ValueError, match=r"1 anomalies.*train: The column 'colour' has values"):
        validate(changed, expected=splits, fail_on=["error", "warning"])


def test_anomalies_are_messages_of_tensorflow_metadata(shop, splits, validate):
    changed = change_train(splits, {7}, lambda one: shop.change(one, colour=b"mauve", price=1e9))
    changed["eval"] = [shop.change(one, colour=b"red") for one in splits["eval"]]
    validate(changed, splits, schema_parameters={"ranges": {"price": [None, 1e6]}})
    read = {
        path.parent.name: anomalies_pb2.Anomalies.FromString(path.read_bytes())
        for path in validate.folder.glob("*/SchemaDiff.pb")
    }
    assert set(read) == {"Split-train", "Split-eval", "Split-test"}
    info = read["Split-train"].anomaly_info
    assert set(info) == {"colour", "price"}
    types = anomalies_pb2.AnomalyInfo
    assert info["price"].severity == types.ERROR
    assert [reason.type for reason in info["price"].reason] == [types.FLOAT_TYPE_BIG_FLOAT]
    assert info["colour"].reason[0].type == types.ENUM_TYPE_UNEXPECTED_STRING_VALUES
    assert list(info["colour"].path.step) == ["colour"]
    assert {feature.name for feature in read["Split-train"].baseline.feature} >= {"price", "image"}
    assert read["Split-test"].anomaly_info == {}
    skew = [one for one in read["Split-eval"].drift_skew_info if one.path.step[0] == "colour"]
    measurement = skew[0].skew_measurements[0]
    assert measurement.value > measurement.threshold == 0.05


@pytest.mark.parametrize(
    ("parameters", "told"),
    [
        ({"fail_on": ["eror"]}, "Unknown severity in fail_on.*Did you mean 'error'"),
        ({"max_shared": 2}, "max_shared is a share"),
    ],
)
def test_parameters_that_cannot_be_are_refused(parameters, told):
    with pytest.raises(ValueError, match=told):
        COMPONENT.make_parameters(parameters)

"""The answers to many products are those of `taxofuse predict`."""

from pathlib import Path

import pandas as pd
import pytest

from components.bulk_inferrer.component import COMPONENT
from components.bulk_inferrer.executor import execute
from components.example_gen.component import COMPONENT as EXAMPLE_GEN
from components.example_gen.executor import execute as generate
from components.examples import Example, write_shard


@pytest.fixture
def infer(trained, tmp_path):
    """Returns a function that runs BulkInferrer and returns its answers in their order."""
    made = []

    def go(examples=None, blessings=(), **parameters):
        out, scratch = tmp_path / f"out-{len(made)}", tmp_path / f"scratch-{len(made)}"
        made.append(out)
        out.mkdir()
        scratch.mkdir()
        inputs = {"model": trained.folder, "examples": examples, **dict(blessings)}
        values = COMPONENT.make_parameters(parameters)
        go.properties = execute(inputs, {"inference_result": out}, values, scratch)
        go.folder = out
        files = sorted(out.rglob("*.parquet"))
        return pd.concat(map(pd.read_parquet, files), ignore_index=True) if files else None

    return go


@pytest.fixture
def predicted(trained, shop, call, tmp_path):
    """Returns what the command line answers."""

    def go(table, *more):
        out = tmp_path / "predicted.parquet"
        done = call("predict", "--model", trained.folder, "--data", table, "--out", out, *more)
        assert done.code == 0, done.stderr
        return pd.read_parquet(out)

    return go


@pytest.fixture
def ugly(shop, tmp_path):
    """Returns a table beside the shop's pictures, with broken cells and a column missing."""
    frame = pd.read_csv(shop, dtype=str, keep_default_na=False).drop(columns="colour")
    frame.loc[3, "price"] = "cheap"
    frame.loc[4, "picture"] = "pictures/none.jpg"
    frame.loc[5, ["picture", "title", "description", "price"]] = ""
    path = shop.parent / "ugly.csv"
    frame.to_csv(path, index=False)
    yield path
    path.unlink()


def assert_same(found, expected):
    pd.testing.assert_frame_equal(found, expected, rtol=1e-5)


def test_of_a_table(shop, infer, predicted):
    found = infer(table=str(shop), rows_per_shard=20)
    assert_same(found, predicted(shop))
    assert len(list(infer.folder.iterdir())) == 4
    assert infer.properties["inference_result"] == {"rows": 72, "problems": 0}
    assert COMPONENT.reads(COMPONENT.make_parameters({"table": str(shop)}))[0] == shop


def test_of_ugly_rows(ugly, infer, predicted):
    found = infer(table=str(ugly), rows_per_shard=50, sure=0.9)
    expected = predicted(ugly, "--sure", "0.9")
    assert_same(found, expected)
    assert "not a number: 'cheap'" in found["status"][3]
    assert "file not found" in found["status"][4]
    assert infer.properties["inference_result"]["problems"] == 72


def test_of_examples(ugly, infer, predicted, tmp_path):
    examples, scratch = tmp_path / "examples", tmp_path / "scratch"
    examples.mkdir()
    scratch.mkdir()
    parameters = EXAMPLE_GEN.make_parameters(
        {"table": str(ugly), "label": ["department", "category"], "rows_per_shard": 30}
    )
    generate({}, {"examples": examples}, parameters, scratch)
    expected = predicted(ugly).set_index("id")
    found = infer(examples).set_index("id")
    assert sorted(found.index) == sorted(expected.index)
    expected = expected.loc[found.index]
    assert found["label"].tolist() == expected["label"].tolist()
    assert found["confidence"].to_numpy() == pytest.approx(expected["confidence"].to_numpy(), 1e-5)
    assert [sorted(s.split("; ")) for s in found["status"]] == [
        sorted(s.split("; ")) for s in expected["status"]
    ]
    only = infer(examples, splits=["test"])
    assert {path.parent.name for path in infer.folder.rglob("*.parquet")} == {"Split-test"}
    assert 0 < len(only) < 72


def test_the_same_bytes_again(shop, infer):
    infer(table=str(shop), rows_per_shard=30)
    first = {path.name: path.read_bytes() for path in infer.folder.iterdir()}
    infer(table=str(shop), rows_per_shard=30)
    assert first == {path.name: path.read_bytes() for path in infer.folder.iterdir()}


def test_an_empty_table_has_an_empty_answer(shop, infer, tmp_path):
    empty = tmp_path / "empty.csv"
    empty.write_text(shop.read_text().splitlines()[0] + "\n")
    found = infer(table=str(empty))
    assert list(found.columns) == ["id", "label", "confidence", "status", "department", "category"]
    assert len(found) == 0


@pytest.mark.parametrize("name", ["model_blessing", "infra_blessing"])
def test_a_model_that_is_not_blessed_answers_nothing(shop, infer, tmp_path, name):
    (tmp_path / "blessing").mkdir()
    (tmp_path / "blessing" / "NOT_BLESSED").touch()
    assert infer(table=str(shop), blessings={name: tmp_path / "blessing"}) is None
    assert infer.properties == {"inference_result": {"empty": True}}
    (tmp_path / "blessing" / "NOT_BLESSED").rename(tmp_path / "blessing" / "BLESSED")
    assert len(infer(table=str(shop), blessings={name: tmp_path / "blessing"})) == 72


@pytest.mark.parametrize(
    ("parameters", "told"),
    [
        ({}, "needs the input `examples`, or the parameter `table`"),
        ({"table": "none.csv"}, "none.csv"),
        ({"table": "t.csv", "splits": ["test"]}, "splits are of examples"),
        ({"sure": 0.3}, "above 0.5"),
        ({"batch_size": 0}, "at least 1"),
    ],
)
def test_what_does_not_fit_is_told(infer, parameters, told):
    with pytest.raises((ValueError, FileNotFoundError), match=told):
        infer(**parameters)


def test_a_table_of_something_else_is_refused(infer, tmp_path):
    (tmp_path / "other.csv").write_text("id,name\n1,x\n")
    with pytest.raises(ValueError, match="none of the columns that this model reads"):
        infer(table=str(tmp_path / "other.csv"))


def test_columns_that_the_first_products_lack_are_read(shop, infer, predicted, tmp_path):
    """Records have no columns: what none of some products has, is missing among them."""
    frame = pd.read_csv(shop, dtype=str, keep_default_na=False)
    frame.loc[:29, "picture"] = ""
    frame["picture"] = [str(shop.parent / cell) if cell else "" for cell in frame["picture"]]
    frame.to_csv(tmp_path / "products.csv", index=False)
    write_shard(
        tmp_path / "products.tfrecord",
        [
            Example(
                str(row["id"]),
                place,
                {name: to_value(name, row[name]) for name in row if row[name]},
            )
            for place, row in enumerate(frame.to_dict("records"))
        ],
    )
    found = infer(table=str(tmp_path / "products.tfrecord"), rows_per_shard=10)
    assert_same(found, predicted(tmp_path / "products.csv"))


def to_value(name, cell):
    """Returns what a record has of a cell of the shop."""
    if name == "picture":
        return Path(cell).read_bytes()
    return float(cell) if name == "price" else cell.encode()

import io
import math

import pandas as pd
import pytest
from PIL import Image

from trainer.data.examples import Example, read_examples, row_ids
from trainer.data.table import read_table
from trainer.inputs import InputSpec

INPUTS = (
    InputSpec("image_bytes", "image", ("photo",)),
    InputSpec("text", "text", ("title", "description")),
    InputSpec("price", "number", ("list price",)),
    InputSpec("colour", "category", ("colour",)),
)


def _png():
    buffer = io.BytesIO()
    Image.new("RGB", (3, 2), "red").save(buffer, "PNG")
    return buffer.getvalue()


def _read(table, inputs=INPUTS):
    return list(read_examples(table, inputs, row_ids(table)))


def test_rows_of_a_csv(tmp_path):
    (tmp_path / "1.png").write_bytes(_png())
    (tmp_path / "2.png").write_bytes(_png()[:45])
    (tmp_path / "t.csv").write_text(
        "id,photo,title,description,list price,colour,extra\n"
        '7,1.png,Mug 杯 🍵,"For  tea\n and more","Rs. 1,299.00",Red ,x\n'
        "7,2.png,,,abc,,\n"
        ",,,,NaN,,\n",
        encoding="utf-8",
    )
    good, bad, empty = _read(read_table(tmp_path / "t.csv"))
    assert good == Example(
        "7",
        {
            "image_bytes": _png(),
            "text": "Mug 杯 🍵\nFor tea and more".encode(),
            "price": 1299.0,
            "colour": b"Red",
        },
        (),
    )
    assert good.status == "ok"
    assert (bad.id, bad.values["image_bytes"], bad.values["text"]) == ("7", b"", b"")
    assert math.isnan(bad.values["price"])
    assert bad.status == "photo: truncated or broken: 2.png; list price: not a number: 'abc'"
    assert (empty.id, empty.status) == ("", "ok")


def test_missing_columns_are_absent_with_a_problem():
    table = read_table(pd.DataFrame({"title": ["Mug"], "other": [1]}))
    (example,) = _read(table)
    assert example.id == "0"
    assert example.values["text"] == b"Mug"
    assert example.values["image_bytes"] == b""
    assert example.problems == (
        "photo: column 'photo' is missing",
        "text: column 'description' is missing",
        "list price: column 'list price' is missing",
        "colour: column 'colour' is missing",
    )


@pytest.mark.parametrize(
    "cell",
    [None, float("nan"), pd.NA, 3, 2.5, True, [1], {"a": 1}, b"\xff", "\ud800", "\0", "x" * 9],
)
def test_no_cell_raises(cell):
    frame = pd.DataFrame({name: pd.Series([cell], dtype=object) for name in ("photo", "title")})
    frame["list price"] = frame["colour"] = frame["description"] = frame["title"]
    (example,) = _read(read_table(frame))
    assert isinstance(example.values["image_bytes"], bytes)
    assert isinstance(example.values["text"], bytes)
    example.values["text"].decode("utf-8")
    assert isinstance(example.values["price"], float)


def test_one_row_at_a_time(tmp_path):
    for i in range(3):
        (tmp_path / f"{i}.png").write_bytes(_png())
    frame = pd.DataFrame({"photo": [f"{i}.png" for i in range(3)]})
    frame.attrs["folder"] = tmp_path
    table = read_table(frame)
    rows = read_examples(table, INPUTS[:1], row_ids(table))
    assert next(rows).status == "ok"
    (tmp_path / "1.png").unlink()
    assert next(rows).status == "photo: file not found: 1.png"


def test_no_rows():
    assert _read(read_table(pd.DataFrame({"title": []}))) == []


def test_ids():
    assert row_ids(read_table(pd.DataFrame({"id": [3.0, None, 3.0]}))) == ["3", "", "3"]
    assert row_ids(read_table(pd.DataFrame({"ID": [3, 4]}))) == ["0", "1"]
    table = read_table(pd.DataFrame({"title": ["a", "b"]}))
    with pytest.raises(ValueError, match=r"len\(ids\)=1 for a table of 2 rows"):
        next(read_examples(table, INPUTS, ["x"]))

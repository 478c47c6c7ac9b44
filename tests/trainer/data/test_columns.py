import datetime

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from trainer.data.columns import Column, infer_columns, plan_inputs
from trainer.data.table import read_table
from trainer.inputs import InputSpec

ROWS = 60
WORDS = ["amber", "basil", "cedar", "delta", "ember", "fable", "grove", "haven", "iris", "jade"]


def _text(rng, words):
    return " ".join(rng.choice(WORDS, words))


@pytest.fixture
def shop(tmp_path):
    """A table like that of a real shop, with what crawls and exports add."""
    rng = np.random.default_rng(0)
    for i in range(ROWS):
        Image.new("RGB", (2, 2)).save(tmp_path / f"{i}.png")
    rows = range(ROWS)
    columns = {
        "": [str(i) for i in rows],
        "id": [f"p{i}" for i in rows],
        "image": [f"{i}.png" if i % 9 else "gone.jpg" for i in rows],
        "brand": [f"{_text(rng, 1)} {i}" if i % 3 else "" for i in rows],
        "description": [_text(rng, 20) for _ in rows],
        "product_name": [_text(rng, 5) for _ in rows],
        "price": [f"Rs. {i},299.00" if i else "n/a" for i in rows],
        "weight": [str(w) if w > 2 else "heavy" for w in range(ROWS)],
        "rating": ["4.5", "", "3", "NaN"] * (ROWS // 4),
        "colour": ["red", "blue", "green", ""] * (ROWS // 4),
        "sku": [f"SRT{i:05d}FF9K" for i in rows],
        "uuid": [f"{rng.integers(2**60):032x}" for _ in rows],
        "ean": [str(4006381333931 + 7 * i) for i in rows],
        "zip": [f"0{1234 + i}" for i in rows],
        "url": [f"http://shop.example/{i}.jpg" for i in rows],
        "pictures": [f'["{i}.png", "{i}b.png"]' for i in rows],
        "gallery": [f"{i}.png;{i}b.png" for i in rows],
        "lost": [f"elsewhere/{i}.png" for i in rows],
        "crawled": ["2016-03-25 22:59:23 +0000"] * 30 + ["2016-03-26"] * 30,
        "country": ["India"] * ROWS,
        "notes": [""] * ROWS,
        "category": ["a", "b"] * (ROWS // 2),
    }
    frame = pd.DataFrame(columns)
    frame.to_csv(tmp_path / "shop.csv", index=False)
    return read_table(tmp_path / "shop.csv")


def test_kinds_of_a_shop(shop):
    columns = infer_columns(shop, labels=["category"])
    assert list(columns) == list(shop.frame.columns)
    assert {name: column.kind for name, column in columns.items()} == {
        "Unnamed: 0": "ignored",
        "id": "id",
        "image": "image",
        "brand": "text",
        "description": "text",
        "product_name": "text",
        "price": "number",
        "weight": "number",
        "rating": "number",
        "colour": "category",
        "sku": "ignored",
        "uuid": "ignored",
        "ean": "ignored",
        "zip": "ignored",
        "url": "ignored",
        "pictures": "ignored",
        "gallery": "ignored",
        "lost": "ignored",
        "crawled": "ignored",
        "country": "ignored",
        "notes": "ignored",
        "category": "label",
    }


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("image", "53 of 60 looked at exist"),
        ("weight", "95.0% of the cells are numbers"),
        ("sku", "'SRT00000FF9K'"),
        ("url", "100.0% are URLs; download"),
        ("pictures", "several values in a cell"),
        ("lost", "0 of 60 looked at exist in"),
        ("country", "every row says 'India'"),
        ("notes", "empty"),
        ("colour", "3 values in 45 cells"),
    ],
)
def test_reasons_are_for_people(shop, name, reason):
    assert reason in infer_columns(shop, labels=["category"])[name].reason


def test_one_number_less_and_it_is_none(shop):
    shop.frame.loc[3, "weight"] = "light"
    assert infer_columns(shop, labels=["category"])["weight"].kind != "number"


def test_types_of_a_frame():
    picture = pd.Series([b"\x89PNG no"] * 3)
    frame = pd.DataFrame(
        {
            "price": [1.5, 2.5, None],
            "stock": [10, 11, 13],
            "new": [True, False, True],
            "tags": [["a"], ["b"], ["c"]],
            "made": [datetime.date(2024, 1, day) for day in (1, 2, 3)],
            "picture": picture,
            "title": ["Blue mug", "Red mug", None],
        }
    )
    kinds = {name: c.kind for name, c in infer_columns(read_table(frame), labels=[]).items()}
    assert kinds == {
        "price": "number",
        "stock": "number",
        "new": "category",
        "tags": "ignored",
        "made": "ignored",
        "picture": "ignored",
        "title": "text",
    }


def test_pictures_in_cells():
    import io

    buffer = io.BytesIO()
    Image.new("RGB", (2, 2)).save(buffer, "PNG")
    frame = pd.DataFrame({"photo": [buffer.getvalue(), None]})
    columns = infer_columns(read_table(frame), labels=[])
    assert columns["photo"].kind == "image"


def test_sounds_wait_for_their_modality(tmp_path):
    (tmp_path / "1.wav").write_bytes(b"RIFF")
    frame = pd.DataFrame({"sound": ["1.wav"] * 2 + ["1.WAV"]})
    frame.attrs["folder"] = tmp_path
    column = infer_columns(read_table(frame), labels=[])["sound"]
    assert column.kind in ("ignored", "audio")
    assert "audio" in column.reason


def test_titles_are_text_though_they_repeat():
    frame = pd.DataFrame({"title": ["blue mug", "red mug"] * 10, "size": ["S", "L"] * 10})
    columns = infer_columns(read_table(frame), labels=[])
    assert (columns["title"].kind, columns["size"].kind) == ("text", "category")


def test_an_own_split_column():
    frame = pd.DataFrame({"split": ["train", "Val"], "part": ["train", "test"], "t": ["a", "b"]})
    table = read_table(frame)
    assert infer_columns(table, labels=[])["split"].kind == "split"
    chosen = infer_columns(table, labels=[], split_column="part")
    assert (chosen["split"].kind, chosen["part"].kind) == ("text", "split")


def test_a_table_without_rows_has_only_empty_columns():
    columns = infer_columns(read_table(pd.DataFrame({"a": [], "b": []})), labels=["b"])
    assert {name: column.kind for name, column in columns.items()} == {"a": "ignored", "b": "label"}


def test_the_user_wins(shop):
    columns = infer_columns(
        shop,
        labels=["category"],
        ignore=["price"],
        overrides={"ean": "text", "colour": "ignored", "zip": "number"},
    )
    assert columns["ean"] == Column("ean", "text", "set by hand")
    assert columns["colour"].kind == columns["price"].kind == "ignored"
    assert columns["zip"].kind == "number"


@pytest.mark.parametrize(
    ("call", "message"),
    [
        ({"labels": ["categry"]}, r"Unknown column.*'brand'.*Did you mean 'category'"),
        ({"labels": [], "ignore": ["prise"]}, "Did you mean 'price'"),
        ({"labels": [], "overrides": {"colur": "text"}}, "Did you mean 'colour'"),
        ({"labels": [], "overrides": {"price": "numbr"}}, "kind of column 'price'.*'number'"),
        ({"labels": [], "split_column": "fold"}, "Unknown column"),
        ({"labels": ["category"], "ignore": ["category"]}, "as label and as ignored"),
        ({"labels": [], "ignore": ["price"], "overrides": {"price": "text"}}, "one thing"),
    ],
)
def test_wrong_names_list_the_valid_ones(shop, call, message):
    with pytest.raises(ValueError, match=message):
        infer_columns(shop, **call)


def _columns(**kinds):
    return {name: Column(name, kind, "") for name, kind in kinds.items()}


def test_inputs_of_a_shop(shop):
    assert plan_inputs(infer_columns(shop, labels=["category"])) == (
        InputSpec("image_bytes", "image", ("image",)),
        InputSpec("text", "text", ("product_name", "description", "brand")),
        InputSpec("price", "number", ("price",)),
        InputSpec("weight", "number", ("weight",)),
        InputSpec("rating", "number", ("rating",)),
        InputSpec("colour", "category", ("colour",)),
    )


def test_several_pictures_and_separate_texts():
    columns = _columns(front="image", back="image", size="category", brand="text", title="text")
    names = [(spec.name, spec.columns) for spec in plan_inputs(columns, text="separate")]
    assert names == [
        ("front_bytes", ("front",)),
        ("back_bytes", ("back",)),
        ("title", ("title",)),
        ("brand", ("brand",)),
        ("size", ("size",)),
    ]


def test_names_become_different_identifiers():
    columns = {
        name: Column(name, "number", "")
        for name in ("list price", "List-Price", "价格", "2nd", "text")
    } | _columns(title="text")
    names = [spec.name for spec in plan_inputs(columns)]
    assert names == ["text", "list_price", "List_Price_2", "input", "input_2nd", "text_2"]


def test_nothing_to_learn_from():
    with pytest.raises(ValueError, match=r"No column is left.*price: ignored"):
        plan_inputs(_columns(price="ignored"))
    with pytest.raises(ValueError, match="Did you mean 'joined'"):
        plan_inputs(_columns(t="text"), text="join")

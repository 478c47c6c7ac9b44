from __future__ import annotations

import numpy as np
import pytest

from trainer.answers import Answers
from trainer.slices import class_size, default_slices, language, price_ranges, read_slices


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Smart lamp with timer", "other"),
        ("智能手表 心率监测", "Chinese"),
        ("小米 Xiaomi Redmi Note 12 手机", "Chinese"),
        ("Xiaomi 小米 smart band with heart rate monitor", "other"),
        ("スマートウォッチ 心拍数 腕時計", "other"),
        ("Умная лампа", "other"),
        ("12 * 30 🎧", "no text"),
        ("", "no text"),
    ],
)
def test_language_goes_by_the_share_of_script(text, expected):
    assert language(text) == expected


@pytest.mark.parametrize(
    ("rows", "expected"),
    [(0, "not in"), (1, "few"), (20, "few"), (21, "medium"), (100, "medium"), (101, "many")],
)
def test_class_size_by_training_rows(rows, expected):
    assert class_size(rows).startswith(expected)


def test_prices_are_cut_at_their_quartiles():
    prices = np.array([100, 200, 300, 400, np.nan, 5000], float)
    assert price_ranges(prices) == [
        "Q1: up to 200",
        "Q1: up to 200",
        "Q2: 200 to 300",
        "Q3: 300 to 400",
        "no price",
        "Q4: over 400",
    ]


def test_equal_and_absent_prices_make_fewer_ranges():
    assert price_ranges(np.array([5.0, 5.0])) == ["Q1: all the same"] * 2
    assert price_ranges(np.array([np.nan])) == ["no price"]
    assert price_ranges(np.array([1.0, 1.0, 1.0, 9.0])) == ["Q1: up to 1.00"] * 3 + [
        "Q2: over 1.00"
    ]


def test_default_slices_have_one_value_a_row():
    answers = Answers(
        ids=["a", "b"],
        class_names=["x", "y"],
        scores=np.eye(2, dtype=np.float32),
        present={"image_bytes": np.array([True, False])},
        status=["ok", "ok"],
    )
    slices = default_slices(answers, ["x", "new"], ["lamp", "灯"], [1.0, np.nan], {"x": 300})
    assert slices == {
        "input image_bytes": ["present", "absent"],
        "language": ["other", "Chinese"],
        "class size": ["many (over 100 rows)", "not in training"],
        "price range": ["Q1: all the same", "no price"],
    }
    assert set(default_slices(answers, ["x", None], None, None, {})) == {
        "input image_bytes",
        "class size",
    }


def test_slices_of_a_table_are_found_by_id(tmp_path):
    path = tmp_path / "slices.csv"
    path.write_text("id,shop,shelf\n2,north,\n1,south,a\n1,other,b\n")
    assert read_slices(str(path), ["1", "2", "3"]) == {
        "shop": ["south", "north", "unknown"],
        "shelf": ["a", "", "unknown"],
    }
    path.write_text("shop\nnorth\n")
    with pytest.raises(ValueError, match=r"data\.slices must have a column `id`.*shop"):
        read_slices(str(path), ["1"])
    with pytest.raises(FileNotFoundError, match=r"data\.slices: no such file.*none\.csv"):
        read_slices("none.csv", ["1"])

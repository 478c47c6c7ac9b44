"""Views of products: what is changed, what is not, and which of them are learned from."""

import io

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from trainer.augment import Augmenter, add_views, write_views
from trainer.catalogue import load_catalogue
from trainer.config import AugmentConfig, DataConfig
from trainer.input_pipeline import content_name, read_values, write_examples
from trainer.inputs import InputSpec
from trainer.sample import Sample

ROWS = 8
INPUTS = (
    InputSpec("image_bytes", "image", ("picture",)),
    InputSpec("text", "text", ("title",)),
    InputSpec("price", "number", ("price",)),
    InputSpec("brand", "category", ("brand",)),
)
NO_PICTURE, BROKEN, NO_TEXT, NO_PRICE = 1, 2, 3, 4


def picture(row):
    pixels = np.random.default_rng(row).integers(0, 256, (20, 30, 3), np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG")
    return buffer.getvalue()


@pytest.fixture(scope="module")
def examples(tmp_path_factory):
    pictures = [picture(row) for row in range(ROWS)]
    pictures[NO_PICTURE], pictures[BROKEN] = b"", pictures[BROKEN][:-40]
    words = [f"red{row} lamp with a long cable for the desk and the bed" for row in range(ROWS)]
    words[NO_TEXT] = ""
    prices = [10.0 + row for row in range(ROWS)]
    prices[NO_PRICE] = float("nan")
    frame = pd.DataFrame(
        {
            "picture": pictures,
            "title": words,
            "price": prices,
            "brand": [f"brand{row}" for row in range(ROWS)],
            "label": ["a", "b"] * (ROWS // 2),
            "split": ["train"] * 6 + ["eval"] * 2,
        }
    )
    columns = {spec.columns[0]: spec.kind for spec in INPUTS}
    data = DataConfig(label=("label",), columns=columns)
    catalogue = load_catalogue(frame, data, say=lambda line: None)
    folder = tmp_path_factory.mktemp("records") / "examples"
    write_examples(catalogue.table, INPUTS, folder)
    return folder


def read(folder):
    return list(read_values(folder, INPUTS))


def test_absent_and_broken_values_stay_and_the_others_change(examples, tmp_path):
    (view,) = write_views(examples, INPUTS, AugmentConfig(views=1), tmp_path)
    before, after = read(examples), read(view)
    assert before[BROKEN]["image_bytes"] == b""
    for row, (old, new) in enumerate(zip(before, after, strict=True)):
        assert (old["image_bytes"] == new["image_bytes"]) == (row in (NO_PICTURE, BROKEN)), row
        assert (not new["text"]) == (row == NO_TEXT)
        assert np.isnan(new["price"]) == (row == NO_PRICE)
        assert old["price"] != new["price"]
        assert old["brand"] == new["brand"]
    assert sum(old["text"] != new["text"] for old, new in zip(before, after, strict=True)) >= 5


def test_the_same_seed_gives_the_same_values_and_views_differ(examples, tmp_path):
    config = AugmentConfig(views=2)
    first = write_views(examples, INPUTS, config, tmp_path / "a")
    again = write_views(examples, INPUTS, config, tmp_path / "b")
    assert [path.name for path in first] == [path.name for path in again]
    assert len({path.name for path in first}) == 2
    one, two, *same = map(read, [*first, *again])
    for row in range(ROWS):
        assert [str(of[row]) for of in same] == [str(one[row]), str(two[row])]
        assert row in (NO_PICTURE, BROKEN) or one[row] != two[row]
    (other,) = write_views(examples, INPUTS, AugmentConfig(views=1, seed=1), tmp_path / "a")
    assert read(other)[0] != one[0]


def test_a_row_is_changed_alike_whatever_else_is_changed():
    """Adding an operation to the words must not draw other pictures."""
    row = {"image_bytes": picture(0), "text": b"a lamp", "price": 5.0, "brand": b"b"}
    crop, drop = {"image": {"crop": {}}}, {"text": {"word_dropout": {}}}
    alone = Augmenter(INPUTS, crop)(row, [0, 1])
    both = Augmenter(INPUTS, {**drop, **crop})(row, [0, 1])
    assert alone["image_bytes"] == both["image_bytes"] != row["image_bytes"]
    assert alone["text"] == row["text"]


def test_views_are_written_once_and_more_of_them_beside_the_first(examples, tmp_path, capsys):
    (first,) = write_views(examples, INPUTS, AugmentConfig(views=1), tmp_path)
    assert "view 1" in capsys.readouterr().err
    state = {path: path.stat().st_mtime_ns for path in first.iterdir()}
    same, second = write_views(examples, INPUTS, AugmentConfig(views=2), tmp_path)
    assert same == first
    assert {path: path.stat().st_mtime_ns for path in first.iterdir()} == state
    assert "view 1" not in capsys.readouterr().err
    assert sorted(tmp_path.iterdir()) == [first, second]


def test_an_interrupted_view_leaves_nothing(examples, tmp_path, monkeypatch):
    calls = []

    def fail(self, row, seed):
        calls.append(seed)
        if len(calls) == 5:
            raise KeyboardInterrupt
        return row

    monkeypatch.setattr(Augmenter, "__call__", fail)
    with pytest.raises(KeyboardInterrupt):
        write_views(examples, INPUTS, AugmentConfig(views=1), tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_values_that_are_not_changed_keep_their_name(examples, tmp_path):
    """So that their features are not computed again."""
    words, price = {"text": {"word_swap": {}}}, {"number": {"jitter": {}}}
    wider = {"number": {"jitter": {"spread": 1}}}
    views = [
        write_views(examples, INPUTS, AugmentConfig(views=1, operations=operations), tmp_path)[0]
        for operations in (words, {**words, **price}, {**words, **wider})
    ]
    assert len(set(views)) == 3
    names = {spec.name: [content_name(view, spec.name) for view in views] for spec in INPUTS}
    assert names["image_bytes"] == names["brand"] == ["examples"] * 3
    assert len(set(names["text"])) == 1
    assert len({"examples", *names["price"]}) == 3
    texts = [[row["text"] for row in read(view)] for view in views]
    assert texts[0] == texts[1] == texts[2]


def test_no_views_need_no_operations(tmp_path):
    assert write_views(tmp_path, INPUTS, AugmentConfig(operations={}), tmp_path) == []


@pytest.mark.parametrize(
    ("operations", "message"),
    [
        ({"picture": {}}, "Unknown modality.*Expected one of.*'image'"),
        ({"image": {"flop": {}}}, "Unknown augmentation.*Did you mean 'flip'"),
        (
            {"text": {"flip": {}}},
            r"'flip' changes image, not text.*augment\.operations\.text\.flip",
        ),
        (
            {"image": {"flip": {"probabilty": 1}}},
            r"option of augment\.operations\.image\.flip.*Did you mean 'probability'",
        ),
        (
            {"text": {"word_swap": {"rate": 2}}},
            r"augment\.operations\.text\.word_swap: `rate` must be a number from 0 to 1",
        ),
        (
            {"text": {}},
            r"no operation changes.*Set augment\.operations\.image, or augment\.views=0",
        ),
    ],
)
def test_operations_that_do_not_fit_are_refused(operations, message):
    with pytest.raises(ValueError, match=message):
        Augmenter(INPUTS, operations)


def test_a_sample_gets_the_views_of_its_own_rows_and_no_others():
    """Of ten rows, those held out must not come back as views."""
    views = [np.arange(20, 30), np.arange(30, 40)]
    sample = Sample.of([1, 4, 7], [0, 1, 2], [1.0, 0.5, 2.0])
    augmented = add_views(sample, views, share=0.5)
    assert augmented.rows.tolist() == [1, 4, 7, 21, 24, 27, 31, 34, 37]
    assert augmented.class_ids.tolist() == [0, 1, 2] * 3
    shares = augmented.weights.reshape(3, 3)
    np.testing.assert_allclose(shares.sum(axis=0), sample.weights)
    np.testing.assert_allclose(shares[:, 0], [0.5, 0.25, 0.25])


def test_without_views_a_sample_stays():
    sample = Sample.of([1, 4], [0, 1])
    assert add_views(sample, [], share=0.5) is sample

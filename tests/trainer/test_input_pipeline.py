import json

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from trainer.catalogue import load_catalogue
from trainer.config import DataConfig
from trainer.features import StackedRows
from trainer.input_pipeline import (
    prepared_dataset,
    product_dataset,
    raw_dataset,
    write_examples,
    write_prepared,
    write_texts,
)
from trainer.preprocessing import build_branches, preprocess, present_name
from trainer.records import count_records
from trainer.sample import Sample

ROWS = 12
ENCODERS = {
    "image": {"tiny_image": {}},
    "text": {"tiny_text": {}, "ngram": {}},
    "number": {"piecewise": {}},
    "category": {"one_hot": {}},
}


@pytest.fixture(scope="module")
def catalogue(tmp_path_factory):
    folder = tmp_path_factory.mktemp("table")
    for row in range(ROWS):
        Image.new("RGB", (8, 6), (row * 20, 0, 0)).save(folder / f"{row}.png")
    frame = pd.DataFrame(
        {
            "id": [f"p{row}" for row in range(ROWS)],
            "title": [f"product number {row} words" if row != 3 else "" for row in range(ROWS)],
            "price": [str(row * 1.5) if row != 4 else "what?" for row in range(ROWS)],
            "colour": ["red", "blue"] * (ROWS // 2),
            "picture": [f"{row}.png" if row != 5 else "nowhere.png" for row in range(ROWS)],
            "label": ["a", "b", "c"] * (ROWS // 3),
            "split": ["train"] * 8 + ["eval"] * 2 + ["test"] * 2,
        }
    )
    frame.attrs["folder"] = str(folder)
    config = DataConfig(label=("label",), columns={"colour": "category", "price": "number"})
    return load_catalogue(frame, config, say=lambda line: None)


@pytest.fixture(scope="module")
def examples(catalogue, tmp_path_factory):
    folder = tmp_path_factory.mktemp("cache") / "examples"
    write_examples(catalogue.table, catalogue.inputs, folder)
    return folder


@pytest.fixture(scope="module")
def branches(catalogue, examples):
    branches = build_branches(catalogue.inputs, ENCODERS)
    for branch in branches:
        name = branch.input.name
        data = raw_dataset(examples, [name]).as_numpy_iterator()
        branch.encoder.adapt(np.concatenate([batch[name] for batch in data]))
    return branches


def test_texts_of_classes_are_examples_of_nothing_but_words(catalogue, tmp_path):
    write_texts(["a", "b c"], catalogue.inputs, tmp_path / "names")
    names = [spec.name for spec in catalogue.inputs]
    (batch,) = raw_dataset(tmp_path / "names", names).as_numpy_iterator()
    kinds = {spec.name: spec.kind for spec in catalogue.inputs}
    for name, values in batch.items():
        if kinds[name] == "text":
            assert values.tolist() == [b"a", b"b c"]
        else:
            assert pd.isna(values).all() or set(values.tolist()) == {b""}


def collect(dataset):
    """Returns all rows of batches of dicts as lists by name."""
    rows = {}
    for tensors in dataset.as_numpy_iterator():
        for name, values in tensors.items():
            rows.setdefault(name, []).extend(values)
    return rows


def with_labels(tensors, class_ids, weights):
    return {**tensors, "class_id": class_ids, "weight": weights}


def assert_same_rows(found, expected):
    assert set(found) == set(expected)
    for name, values in expected.items():
        for pair in zip(found[name], values, strict=True):
            if np.ndim(pair[0]) == 1:  # padded to the longest of its own batch
                width = max(map(len, pair))
                pair = [np.pad(value, (0, width - len(value))) for value in pair]  # noqa: PLW2901
            np.testing.assert_allclose(*pair, atol=1e-6, err_msg=name)


@pytest.fixture(scope="module")
def on_the_fly(examples, branches):
    return collect(product_dataset(examples, branches))


def test_examples_keep_raw_values_and_order(examples):
    assert count_records(examples) == ROWS
    (batch,) = raw_dataset(examples, ["text", "price"])
    assert batch["text"].numpy().tolist()[2:4] == [b"product number 2 words", b""]
    expected = [np.nan if row == 4 else 1.5 * row for row in range(ROWS)]
    np.testing.assert_allclose(batch["price"], expected)


def test_problems_are_kept_by_row(examples):
    problems = json.loads((examples / "problems.json").read_text())
    assert problems == {
        "4": "price: not a number: 'what?'",
        "5": "picture: file not found: nowhere.png",
    }


@pytest.mark.parametrize("rows", [[0, 3, 4, 11], [5], [], list(range(ROWS))])
def test_some_rows_can_be_read(examples, rows):
    data = raw_dataset(examples, ["price"], 3, rows=np.array(rows, int))
    found = [price for batch in data.as_numpy_iterator() for price in batch["price"]]
    np.testing.assert_allclose(found, [np.nan if row == 4 else 1.5 * row for row in rows])


def test_absent_inputs_are_marked(on_the_fly):
    for name, absent in (("text", 3), ("price", 4), ("image_bytes", 5)):
        expected = [row != absent for row in range(ROWS)]
        assert on_the_fly[f"{name}_present"] == expected, name
    assert all(on_the_fly["colour_present"])


def test_batches_in_tf_data_are_the_rows_made_eagerly(examples, branches, on_the_fly):
    (raw,) = raw_dataset(examples, sorted({branch.input.name for branch in branches}))
    eager = preprocess(branches, raw)
    assert_same_rows(on_the_fly, {name: list(tensor.numpy()) for name, tensor in eager.items()})


@pytest.fixture
def prepared(examples, branches, tmp_path):
    """Returns the records of some rows of two sources, and those rows."""
    rows = np.array([1, 5, 8])
    sample = Sample.of([1, 5, 8, 13, 17, 20], [2, 0, 1, 1, 0, 2], [1, 2, 3, 4, 5, 6])
    known = {"known": StackedRows([np.arange(24, dtype=np.float32)[:, None]])}
    write_prepared([(examples, rows), (examples, rows)], sample, tmp_path / "r", branches, known)
    return tmp_path / "r", [*rows, *rows]


def test_prepared_records_hold_what_is_made_on_the_fly(prepared, on_the_fly):
    folder, rows = prepared
    expected = {name: [values[row] for row in rows] for name, values in on_the_fly.items()}
    labels = {"class_id": [2, 0, 1, 1, 0, 2], "weight": [1, 2, 3, 4, 5, 6]}
    expected["known"] = [[1.0], [5.0], [8.0], [13.0], [17.0], [20.0]]
    assert_same_rows(collect(prepared_dataset(folder, 5).map(with_labels)), {**expected, **labels})


def test_each_branch_can_be_read_alone(examples, branches, on_the_fly):
    for branch in branches:
        found = collect(product_dataset(examples, [branch]))
        names = [*branch.encoder.input_specs(), present_name(branch.input.name)]
        assert_same_rows(found, {name: on_the_fly[name] for name in names})


def test_shuffled_passes_differ_and_lose_nothing(prepared):
    data = prepared_dataset(prepared[0], 4, shuffle_seed=0).map(with_labels)
    passes = [collect(data)["weight"] for _ in range(3)]
    assert {tuple(sorted(rows)) for rows in passes} == {(1, 2, 3, 4, 5, 6)}
    assert len({tuple(rows) for rows in passes}) > 1


def test_an_encoder_of_another_modality_is_refused(catalogue):
    with pytest.raises(ValueError, match=r"'tiny_text' reads text, not image"):
        build_branches(catalogue.inputs, {**ENCODERS, "image": {"tiny_text": {}}})
    with pytest.raises(ValueError, match=r"No encoder reads the number input 'price'.*--ignore"):
        build_branches(catalogue.inputs, {**ENCODERS, "number": {}})
    with pytest.raises(ValueError, match=r"image\.tiny_image.*'dims'.*Did you mean 'dim'\?"):
        build_branches(catalogue.inputs, {**ENCODERS, "image": {"tiny_image": {"dims": 3}}})

import json

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from trainer.catalogue import load_catalogue
from trainer.config import DataConfig
from trainer.input_pipeline import (
    CLASS_NAMES,
    branch_dataset,
    prepared_dataset,
    raw_dataset,
    split_folder,
    training_dataset,
    write_examples,
    write_prepared,
)
from trainer.preprocessing import build_branches, preprocess, present_name
from trainer.records import count_records

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
    write_examples(catalogue, folder)
    return folder


@pytest.fixture(scope="module")
def branches(catalogue, examples):
    branches = build_branches(catalogue.inputs, ENCODERS)
    for branch in branches:
        name = branch.input.name
        data = raw_dataset(split_folder(examples, "train"), [name]).as_numpy_iterator()
        branch.encoder.adapt(np.concatenate([batch[name] for batch in data]))
    return branches


def test_names_of_classes_are_examples_of_nothing_but_words(catalogue, examples):
    names = [spec.name for spec in catalogue.inputs]
    data = raw_dataset(split_folder(examples, CLASS_NAMES), [*names, "class_id"])
    (batch,) = data.as_numpy_iterator()
    kinds = {spec.name: spec.kind for spec in catalogue.inputs}
    assert batch.pop("class_id").tolist() == [0, 1, 2]
    for name, values in batch.items():
        if kinds[name] == "text":
            assert values.tolist() == [b"a", b"b", b"c"]
        else:
            assert pd.isna(values).all() or set(values.tolist()) == {b""}


def collect(dataset):
    """Returns all rows of `(tensors, class_ids)` batches as lists by name."""
    rows = {"class_id": []}
    for tensors, class_ids in dataset.as_numpy_iterator():
        rows["class_id"] += list(class_ids)
        for name, values in tensors.items():
            rows.setdefault(name, []).extend(values)
    return rows


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
    """Returns the training rows, read in batches of 3."""
    return collect(training_dataset(split_folder(examples, "train"), branches, 3))


def test_examples_keep_raw_values_and_order(catalogue, examples):
    assert sorted(path.name for path in examples.iterdir()) == [
        "Split-class_names",
        "Split-eval",
        "Split-test",
        "Split-train",
        "problems.json",
    ]
    sizes = {split: count_records(split_folder(examples, split)) for split in ("train", "eval")}
    assert sizes == {"train": 8, "eval": 2}
    (batch,) = raw_dataset(split_folder(examples, "train"), ["text", "price", "class_id"])
    assert batch["text"].numpy().tolist()[2:4] == [b"product number 2 words", b""]
    np.testing.assert_allclose(batch["price"], [0, 1.5, 3, 4.5, np.nan, 7.5, 9, 10.5])
    assert batch["class_id"].numpy().tolist() == [0, 1, 2, 0, 1, 2, 0, 1]
    assert catalogue.class_names == ["a", "b", "c"]


def test_problems_are_kept_by_id(examples):
    problems = json.loads((examples / "problems.json").read_text())
    assert problems == {
        "p4": "price: not a number: 'what?'",
        "p5": "picture: file not found: nowhere.png",
    }


def test_absent_inputs_are_marked(on_the_fly):
    for name, absent in (("text", 3), ("price", 4), ("image_bytes", 5)):
        expected = [row != absent for row in range(8)]
        assert on_the_fly[f"{name}_present"] == expected, name
    assert all(on_the_fly["colour_present"])


def test_batches_in_tf_data_are_the_rows_made_eagerly(examples, branches, on_the_fly):
    names = [*{branch.input.name for branch in branches}, "class_id"]
    (raw,) = raw_dataset(split_folder(examples, "train"), names)
    eager = {"class_id": raw.pop("class_id"), **preprocess(branches, raw)}
    assert_same_rows(on_the_fly, {name: list(tensor.numpy()) for name, tensor in eager.items()})


def test_prepared_records_hold_what_is_made_on_the_fly(examples, branches, on_the_fly, tmp_path):
    source = split_folder(examples, "train")
    write_prepared([source, source], tmp_path / "r", branches)
    expected = {name: values * 2 for name, values in on_the_fly.items()}
    assert_same_rows(collect(prepared_dataset(tmp_path / "r", 5)), expected)


def test_each_branch_can_be_read_alone(examples, branches, on_the_fly):
    for branch in branches:
        (tensors,) = branch_dataset([split_folder(examples, "train")], branch)
        names = [*branch.encoder.input_specs(), present_name(branch.input.name)]
        found = {name: list(values.numpy()) for name, values in tensors.items()}
        assert_same_rows(found, {name: on_the_fly[name] for name in names})


def test_shuffled_passes_differ_and_lose_nothing(examples, branches):
    numbers = [branch for branch in branches if branch.input.name == "price"]
    source = split_folder(examples, "train")
    dataset = training_dataset(source, numbers, 3, shuffle_seed=0)
    passes = [collect(dataset)["class_id"] for _ in range(3)]
    assert {tuple(sorted(rows)) for rows in passes} == {(0, 0, 0, 1, 1, 1, 2, 2)}
    assert len({tuple(rows) for rows in passes}) > 1


def test_an_encoder_of_another_modality_is_refused(catalogue):
    with pytest.raises(ValueError, match=r"'tiny_text' reads text, not image"):
        build_branches(catalogue.inputs, {**ENCODERS, "image": {"tiny_text": {}}})
    with pytest.raises(ValueError, match=r"No encoder reads the number input 'price'.*--ignore"):
        build_branches(catalogue.inputs, {**ENCODERS, "number": {}})
    with pytest.raises(ValueError, match=r"image\.tiny_image.*'dims'.*Did you mean 'dim'\?"):
        build_branches(catalogue.inputs, {**ENCODERS, "image": {"tiny_image": {"dims": 3}}})

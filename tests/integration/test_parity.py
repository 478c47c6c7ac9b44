"""The SavedModel in a process of its own answers as the Keras model does."""

from __future__ import annotations

import pickle
import subprocess
import sys

import numpy as np
import pytest
import tensorflow as tf

from trainer.artefact import ModelCard, find_export
from trainer.data.examples import read_examples, row_ids
from trainer.data.table import read_table
from trainer.inputs import InputSpec
from trainer.preprocessing import Branch, preprocess
from trainer.registry import ENCODERS, MODALITIES
from trainer.saved_network import load_network

ASK = """
import pickle, sys
import tensorflow as tf
import tensorflow_text
folder, questions, answers = sys.argv[1:]
serve = tf.saved_model.load(folder).signatures["serving_default"]
found = {}
with open(questions, "rb") as file:
    cases = pickle.load(file)
for name, (batch_size, raw) in cases.items():
    rows = len(next(iter(raw.values())))
    parts = [
        serve(**{key: tf.constant(values[i : i + batch_size]) for key, values in raw.items()})
        for i in range(0, rows, batch_size)
    ]
    found[name] = {key: [p[key].numpy() for p in parts] for key in parts[0]}
imported = [m for m in sys.modules if m.split(".")[0] in ("trainer", "keras_hub")]
with open(answers, "wb") as file:
    pickle.dump({"found": found, "imported": imported}, file)
"""


@pytest.fixture(scope="module")
def card(trained):
    return ModelCard.load(find_export(trained.folder))


@pytest.fixture(scope="module")
def cases(card, shop):
    """Returns raw values by case: all inputs, one absent, all absent; batches of 32 and of 1."""
    table = read_table(shop)
    rows = list(read_examples(table, card.inputs, row_ids(table)))
    whole = {spec.name: [row.values[spec.name] for row in rows] for spec in card.inputs}
    cases = {"batches of 32": (32, whole), "one by one": (1, whole)}
    absent = {spec.name: [MODALITIES.get(spec.kind).absent] * len(rows) for spec in card.inputs}
    for name, values in whole.items():
        cases[f"no {name}"] = (32, {**whole, name: absent[name]})
        cases[f"only {name}"] = (32, {**absent, name: values})
    return {**cases, "nothing": (32, absent)}


@pytest.fixture(scope="module")
def answers(trained, cases, tmp_path_factory):
    folder = tmp_path_factory.mktemp("parity")
    (folder / "questions").write_bytes(pickle.dumps(cases))
    arguments = [find_export(trained.folder), folder / "questions", folder / "answers"]
    # Isolated: neither the current folder nor PYTHONPATH.
    command = [sys.executable, "-I", "-c", ASK, *map(str, arguments)]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    answers = pickle.loads((folder / "answers").read_bytes())
    assert answers["imported"] == []
    return answers["found"]


@pytest.fixture(scope="module")
def keras_scores(trained, cases):
    """Returns scores of the Keras model by case, from `model.keras` and `preprocessing.json`."""
    scorer, state = load_network(trained.folder)
    branches = []
    for part in state["branches"]:
        encoder = ENCODERS.get(part["encoder"])(part["name"], **part["options"])
        encoder.set_state(part["state"])
        spec = InputSpec(**part["input"])
        branches.append(Branch(part["name"], spec, part["encoder"], part["options"], encoder))
    return {
        name: scorer(preprocess(branches, {key: tf.constant(v) for key, v in raw.items()})).numpy()
        for name, (_, raw) in cases.items()
    }


def test_scores_differ_by_at_most_1e_5(answers, keras_scores):
    assert set(keras_scores) == set(answers)
    for name, expected in keras_scores.items():
        found = np.concatenate(answers[name]["scores"])
        assert len(found) >= 64
        np.testing.assert_allclose(found, expected, atol=1e-5, rtol=0, err_msg=name)
    assert np.ptp(keras_scores["no text"] - keras_scores["one by one"]) > 1e-3


def test_outputs_agree_with_each_other(answers, card):
    for name, parts in answers.items():
        found = {key: np.concatenate(values) for key, values in parts.items()}
        assert set(found) == {"label", "confidence", "scores", "labels", "status"}
        assert (found["labels"] == [label.encode() for label in card.class_names]).all()
        best = found["scores"].argmax(axis=1)
        expected = found["labels"][np.arange(len(best)), best]
        assert (found["label"] == expected).all(), name
        np.testing.assert_array_equal(found["confidence"], found["scores"].max(axis=1))
        np.testing.assert_allclose(found["scores"].sum(axis=1), 1, atol=1e-5)
        assert found["scores"].dtype == found["confidence"].dtype == np.float32


def test_rows_with_nothing_are_all_answered_alike(answers):
    scores = np.concatenate(answers["nothing"]["scores"])
    np.testing.assert_allclose(scores, scores[:1].repeat(len(scores), axis=0), atol=1e-6)

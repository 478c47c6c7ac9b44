"""Answers that are compared with labels, of models with nothing to corrupt too."""

import numpy as np
import pandas as pd
import pytest

from components.evaluator import measured as module
from components.evaluator.measured import measure
from trainer.answers import Answers
from trainer.artefact import ModelCard
from trainer.data.table import Table
from trainer.inputs import InputSpec

LABELS = ["cheap", "dear"] * 40
INPUTS = {
    "price": InputSpec("price", "number", ("price",)),
    "colour": InputSpec("colour", "category", ("colour",)),
    "text": InputSpec("text", "text", ("title",)),
}


class Tensor:
    def __init__(self, values):
        self.values = values

    def numpy(self):
        return np.array(self.values)


class Predictor:
    """Answers `cheap` below 100, whatever the title says."""

    def __init__(self, inputs):
        self.card = ModelCard(
            inputs, ("cheap", "dear"), ("label",), ("label",), "", "run", {"train": 0}
        )

    def was_trained_on(self, table):
        return np.zeros(len(table.frame), bool)

    def call(self, rows, signature):
        return {"label": Tensor([b"dear" if row["price"] > 100 else b"cheap" for row in rows])}


@pytest.fixture
def answer(monkeypatch, tmp_path):
    """Returns a function that measures a model of some inputs; the last of its answers is wrong."""

    def go(*names, robust_products=64):
        inputs = tuple(INPUTS[name] for name in names)
        monkeypatch.setattr(module, "describe_model", lambda model: {})
        monkeypatch.setattr(module, "load_predictor", lambda: Predictor(inputs))
        prices = [10.0 if label == "cheap" else 500.0 for label in LABELS]
        cells = {"price": prices, "colour": "red", "title": "some words here"}
        table = Table(pd.DataFrame(cells, dtype=object), tmp_path)
        scores = np.array([[0.9, 0.1] if label == "cheap" else [0.2, 0.8] for label in LABELS])
        scores[-1] = [0.7, 0.3]
        ids = [str(row) for row in range(len(LABELS))]
        answers = Answers(ids, ["cheap", "dear"], scores, {}, ["ok"] * len(LABELS))
        return measure(tmp_path, answers, table, LABELS, robust_products=robust_products, seed=0)

    return go


def test_a_table_of_numbers_and_categories_is_measured(answer):
    found = answer("price", "colour")
    assert found.robust.shape == (0,)
    assert found.right.sum() == 79
    assert found.metrics["accuracy"] == 79 / 80


def test_what_can_be_corrupted_is_asked_again(answer):
    np.testing.assert_array_equal(answer("price", "text").robust, np.ones(64, bool))
    assert answer("price", "text", robust_products=100).robust.shape == (80,)
    assert answer("price", "text", robust_products=0).robust.shape == (0,)

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from trainer.answering import answer_table, find_scorer
from trainer.artefact import ModelCard
from trainer.data.table import Table
from trainer.inputs import InputSpec

CARD = ModelCard(
    inputs=(InputSpec("text", "text", ("title",)), InputSpec("price", "number", ("price",))),
    class_names=("a > b", "a > c"),
    level_names=("top", "leaf"),
    label=("top", "leaf"),
    label_separator="",
    run="0",
    trained_on={},
)
COLUMNS = ["id", "label", "confidence", "status", "top", "leaf", "sure_label"]


class Toy:
    """Says `a > b` of a title with an even number of letters; fails where there is an `x`."""

    card = CARD

    def __init__(self):
        self.sizes = []

    def score(self, batches):
        for rows in batches:
            self.sizes.append(len(rows))
            yield [self._score(row["text"]) for row in rows]

    def _score(self, text):
        if b"x" in text:
            return None, "too hard"
        even = 1 - len(text) % 2
        said = "no words" if text == b"" else "ok"
        return np.array([0.8 * even + 0.1, 0.9 - 0.8 * even], np.float32), said


@pytest.fixture
def table(tmp_path):
    titles, prices = ["x", "ab", "abc", "", "axb", ""], ["1", "2", "cheap", "", "5", "6"]
    ids = list("pqrstu")
    return Table(pd.DataFrame({"id": ids, "title": titles, "price": prices}), tmp_path)


def test_every_row_is_in_the_table_that_is_written(table):
    scorer = Toy()
    frame = answer_table(scorer, table, 4).to_frame(CARD.level_names, 0.85)
    assert scorer.sizes == [4, 2]
    assert list(frame.columns) == COLUMNS
    assert frame["id"].tolist() == list("pqrstu")
    assert frame["label"].tolist() == ["", "a > b", "a > c", "a > b", "", "a > b"]
    assert frame["leaf"].tolist() == ["", "b", "c", "b", "", "b"]
    assert frame["sure_label"].tolist() == frame["label"].tolist()
    assert frame["confidence"].isna().tolist() == [True, False, False, False, True, False]
    assert frame["status"].tolist() == [
        "not answered: too hard",
        "ok",
        "price: not a number: 'cheap'",
        "no words",
        "not answered: too hard",
        "no words",
    ]


def test_answers_are_those_of_the_rows_that_have_one(table):
    found = answer_table(Toy(), table, 32)
    assert found.answers.ids == ["q", "r", "s", "u"]
    assert found.answers.present["text"].tolist() == [True, True, False, False]
    assert found.answers.present["price"].tolist() == [True, False, False, True]
    assert set(found.failures) == {0, 4}


@pytest.mark.parametrize("titles", [[], ["x", "xx"]])
def test_no_answers_at_all(tmp_path, titles):
    found = answer_table(Toy(), Table(pd.DataFrame({"title": titles}, dtype=str), tmp_path), 2)
    frame = found.to_frame(CARD.level_names)
    assert len(frame) == len(titles)
    assert list(frame.columns) == COLUMNS[:-1]
    assert frame["label"].tolist() == [""] * len(titles)


def test_a_scorer_that_loses_rows_is_found_out(table):
    scorer = Toy()
    scorer.score = lambda batches: iter([[(None, "")]])
    with pytest.raises(RuntimeError, match="6 rows were read, but 1 were scored"):
        answer_table(scorer, table, 4)


def test_a_table_of_other_columns_is_refused(tmp_path):
    with pytest.raises(ValueError, match=r"Expected some of \['title', 'price'\]"):
        answer_table(Toy(), Table(pd.DataFrame({"name": ["x"]}), tmp_path), 2)


def test_scorers_are_found_by_entry_point():
    assert find_scorer("server").__module__ == "serving.client.scorer"
    with pytest.raises(ValueError, match="Unknown scorer"):
        find_scorer("sever")

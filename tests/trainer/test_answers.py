from __future__ import annotations

import numpy as np
import pytest

from trainer.answers import Answers

NAMES = ["Home > Lamp", "Home > Rug", "Office > Lamp"]


def make_answers(scores, names=NAMES, **changes) -> Answers:
    scores = np.asarray(scores, np.float32).reshape(-1, len(names))
    fields = {
        "ids": [f"p{row}" for row in range(len(scores))],
        "class_names": names,
        "scores": scores,
        "present": {"text": np.ones(len(scores), bool)},
        "status": ["ok"] * len(scores),
    }
    return Answers(**{**fields, **changes})


def test_answers_the_most_probable_path_and_its_levels():
    answers = make_answers([[0.2, 0.5, 0.3], [0.1, 0.2, 0.7]])
    assert answers.labels == ["Home > Rug", "Office > Lamp"]
    assert answers.confidence.tolist() == pytest.approx([0.5, 0.7])
    assert answers.level_labels(0) == ["Home", "Office"]
    assert answers.level_labels(1) == ["Rug", "Lamp"]


def test_a_path_may_end_above_a_level():
    answers = make_answers([[0.9, 0.1]], names=["Home", "Office > Lamp"])
    assert answers.level_labels(0) == ["Home"]
    assert answers.level_labels(1) == [""]


def test_an_answer_in_doubt_stops_at_the_level_that_is_sure():
    answers = make_answers([[0.5, 0.4, 0.1], [0.05, 0.05, 0.9], [0.3, 0.3, 0.4]])
    assert answers.sure_labels(0.8) == ["Home", "Office > Lamp", ""]
    assert answers.sure_labels(0.95) == ["", "", ""]
    frame = answers.to_frame(["room", "kind"], min_confidence=0.8)
    assert frame["sure_label"].tolist() == ["Home", "Office > Lamp", ""]


def test_a_short_path_can_be_sure():
    answers = make_answers([[0.9, 0.1]], names=["Home", "Office > Lamp"])
    assert answers.sure_labels(0.8) == ["Home"]


@pytest.mark.parametrize("confidence", [0.5, 1.1, float("nan")])
def test_to_be_sure_takes_more_than_one_half(confidence):
    with pytest.raises(ValueError, match=r"above 0\.5"):
        make_answers([[0.2, 0.5, 0.3]]).sure_labels(confidence)


def test_frame_has_one_row_a_row_in_order_with_repeated_ids_kept():
    answers = make_answers(
        [[0.2, 0.5, 0.3], [0.1, 0.2, 0.7]], ids=["a", "a"], status=["ok", "image: broken"]
    )
    frame = answers.to_frame(["category", "subcategory"])
    assert list(frame) == ["id", "label", "confidence", "status", "category", "subcategory"]
    assert frame.drop(columns="confidence").to_numpy().tolist() == [
        ["a", "Home > Rug", "ok", "Home", "Rug"],
        ["a", "Office > Lamp", "image: broken", "Office", "Lamp"],
    ]


def test_frame_of_a_flat_taxonomy_has_no_level_columns():
    assert list(make_answers([[1, 0, 0]]).to_frame(["category"])) == [
        "id",
        "label",
        "confidence",
        "status",
    ]


def test_a_level_called_like_a_column_does_not_overwrite_it():
    frame = make_answers([[1, 0, 0]]).to_frame(["label", "kind"])
    assert frame["label"].tolist() == ["Home > Lamp"]
    assert frame["level_label"].tolist() == ["Home"]


def test_no_rows_make_an_empty_table():
    assert make_answers([]).to_frame(["category", "subcategory"]).shape == (0, 6)


def test_take_keeps_the_asked_rows_in_the_asked_order():
    answers = make_answers(np.eye(3), present={"text": np.array([True, False, True])})
    taken = answers.take([2, 1])
    assert taken.ids == ["p2", "p1"]
    assert taken.labels == ["Office > Lamp", "Home > Rug"]
    assert taken.present["text"].tolist() == [True, False]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"ids": ["a"]}, r"\(rows, num_classes\) = \(1, 3\).*shape \(2, 3\)"),
        ({"status": ["ok"]}, "`status` must have one value for each of 2 rows. Received: 1"),
        ({"present": {"text": np.ones(3, bool)}}, "`text` must have one value for each of 2"),
        ({"class_names": ["a", "b", "a"]}, "none of them twice"),
    ],
)
def test_refuses_what_does_not_fit_together(changes, message):
    with pytest.raises(ValueError, match=message):
        make_answers([[1, 0, 0], [0, 1, 0]], **changes)


def test_refuses_scores_that_are_not_numbers_and_names_the_row():
    with pytest.raises(ValueError, match=r"1 of 2 rows.*'p1'"):
        make_answers([[1, 0, 0], [0, np.nan, 0]])

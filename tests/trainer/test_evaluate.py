from __future__ import annotations

import json
import math

import numpy as np
import pytest
from sklearn import metrics as reference

from trainer.answers import Answers
from trainer.evaluate import (
    calibration_bins,
    count_confusions,
    evaluate_answers,
    evaluate_slices,
    evaluate_tail,
    expected_calibration_error,
    hierarchical_agreement,
    wilson_interval,
    worst_rows,
)

NAMES = ["A > x", "A > y", "B > x", "B > z"]


def make_answers(scores, names=NAMES, status=None) -> Answers:
    scores = np.asarray(scores, np.float32).reshape(-1, len(names))
    return Answers(
        ids=[f"p{row}" for row in range(len(scores))],
        class_names=names,
        scores=scores,
        present={},
        status=status or ["ok"] * len(scores),
    )


def say(labels: list[str], confidence: float = 0.7) -> Answers:
    """Returns answers that say `labels`."""
    rest = (1 - confidence) / (len(NAMES) - 1)
    rows = [[confidence if name == label else rest for name in NAMES] for label in labels]
    return make_answers(rows)


@pytest.fixture
def random_case() -> tuple[Answers, list[str]]:
    generator = np.random.default_rng(0)
    truth = generator.choice(NAMES, 200, p=[0.5, 0.3, 0.15, 0.05]).tolist()
    scores = generator.dirichlet(np.ones(len(NAMES)), 200)
    scores[np.arange(200), [NAMES.index(label) for label in truth]] += 0.3
    return make_answers(scores / scores.sum(axis=1, keepdims=True)), truth


def test_figures_are_those_of_scikit_learn(random_case):
    answers, truth = random_case
    metrics = evaluate_answers(answers, truth)
    assert metrics["num_examples"] == 200
    assert metrics["accuracy"] == pytest.approx(reference.accuracy_score(truth, answers.labels))
    for average in ("macro", "weighted"):
        for name, score in (
            ("f1", reference.f1_score),
            ("precision", reference.precision_score),
            ("recall", reference.recall_score),
        ):
            expected = score(truth, answers.labels, average=average)
            assert metrics[f"{average}_{name}"] == pytest.approx(expected), (average, name)
    by_class = reference.classification_report(truth, answers.labels, output_dict=True)
    for name in NAMES:
        assert metrics["per_class"][name]["f1"] == pytest.approx(by_class[name]["f1-score"])
        assert metrics["per_class"][name]["support"] == by_class[name]["support"]
    expected = reference.log_loss(truth, answers.scores, labels=NAMES)
    assert metrics["log_loss"] == pytest.approx(expected, rel=1e-5)
    assert "levels" not in metrics


def test_figures_can_be_written_as_json_and_read_back(random_case):
    metrics = evaluate_answers(*random_case, ["category", "kind"])
    assert json.loads(json.dumps(metrics, allow_nan=False)) == metrics


def test_macro_f1_is_over_the_classes_that_occur():
    # F1: x 2/3, y 0 (answered, never true); z and B > x do not occur.
    metrics = evaluate_answers(say(["A > x", "A > y"]), ["A > x", "A > x"])
    assert metrics["macro_f1"] == pytest.approx((2 / 3 + 0) / 2)
    assert metrics["weighted_f1"] == pytest.approx(2 / 3)
    assert set(metrics["per_class"]) == {"A > x", "A > y"}
    assert metrics["num_classes"] == 4


def test_a_level_compares_the_path_down_to_it():
    answers = say(["A > x", "A > x", "A > x", "B > z"])
    truth = ["A > x", "A > y", "B > x", "B > z"]
    levels = evaluate_answers(answers, truth, ["category", "kind"])["levels"]
    assert list(levels) == ["category", "kind"]
    assert levels["category"]["accuracy"] == 0.75
    # A: precision 2/3, recall 1, F1 0.8; B: precision 1, recall 1/2, F1 2/3.
    assert levels["category"]["macro_f1"] == pytest.approx((0.8 + 2 / 3) / 2)
    # "B > x" answered as "A > x" has the right last name and is wrong.
    assert levels["kind"]["accuracy"] == 0.5


def test_hierarchical_figures_by_hand():
    truth = ["A > a", "A > b", "B > c", "D"]
    answers = ["A > b", "A", "", "D"]
    # 2 + 1 + 0 + 1 nodes answered, of which A, A and D are right, of 2 + 2 + 2 + 1.
    found = hierarchical_agreement(truth, answers)
    assert found == pytest.approx({"precision": 3 / 4, "recall": 3 / 7, "f1": 6 / 11})
    assert hierarchical_agreement(["A > a"], [""]) == {"precision": 0, "recall": 0, "f1": 0}


def test_answers_that_stop_early_are_counted_by_depth():
    names = ["A > a", "A > b", "B > c"]
    answers = make_answers([[0.5, 0.4, 0.1], [0.0, 0.1, 0.9], [0.3, 0.3, 0.4]], names)
    metrics = evaluate_answers(answers, ["A > b", "B > c", "B > c"], ["top", "leaf"])
    assert metrics["backed_off"]["rows_by_depth"] == [1, 1, 1]
    assert metrics["backed_off"]["precision"] == 1
    assert metrics["hierarchical"]["precision"] == pytest.approx(5 / 6)


def test_counts_rows_without_label_with_problems_and_with_unknown_labels():
    answers = Answers(
        ids=list("abcde"),
        class_names=["x", "y"],
        scores=np.tile(np.float32([0.75, 0.25]), (5, 1)),
        present={},
        status=["ok", "image: broken", "image: broken", "ok", "ok"],
    )
    metrics = evaluate_answers(answers, ["x", "x", None, "new", ""])
    assert metrics["num_examples"] == 3
    assert metrics["num_without_label"] == 2
    assert metrics["num_with_problems"] == 1
    assert metrics["num_unknown_label"] == 1
    assert metrics["unknown_labels"] == {"new": 1}
    assert metrics["accuracy"] == pytest.approx(2 / 3)
    assert metrics["log_loss"] == pytest.approx((-2 * math.log(0.75) - math.log(1e-7)) / 3)
    assert metrics["confused_pairs"] == [{"true": "new", "predicted": "x", "count": 1}]


def test_confused_pairs_come_with_the_most_frequent_first():
    answers = say(["A > y", "A > y", "B > x", "A > x"])
    truth = ["A > x", "A > x", "A > x", "A > x"]
    assert evaluate_answers(answers, truth)["confused_pairs"] == [
        {"true": "A > x", "predicted": "A > y", "count": 2},
        {"true": "A > x", "predicted": "B > x", "count": 1},
    ]
    assert count_confusions(answers, truth)["A > x", "A > x"] == 1


def test_calibration_error_by_hand():
    # Three ranges of width 1/15: (10/15, 11/15], (13/15, 14/15], (14/15, 1].
    confidence = np.array([0.7, 0.72, 0.9, 0.95, 1.0])
    correct = np.array([True, False, True, True, False])
    bins = calibration_bins(confidence, correct)
    assert [part["num_examples"] for part in bins] == [2, 1, 2]
    assert [part["accuracy"] for part in bins] == [0.5, 1, 0.5]
    assert bins[0]["low"] == pytest.approx(10 / 15)
    assert bins[-1]["high"] == 1
    expected = (2 * (0.71 - 0.5) + 1 * (1 - 0.9) + 2 * (0.975 - 0.5)) / 5
    assert expected_calibration_error(bins) == pytest.approx(expected)


def test_calibration_of_certain_and_impossible_answers():
    bins = calibration_bins(np.array([0.0, 1.0]), np.array([False, True]))
    assert expected_calibration_error(bins) == 0


def test_wilson_interval_agrees_with_published_values():
    # Newcombe, 1998, Statistics in Medicine 17, table I, method 3.
    assert wilson_interval(81, 263) == pytest.approx((0.2553, 0.3662), abs=5e-5)
    assert wilson_interval(15, 148) == pytest.approx((0.0624, 0.1605), abs=5e-5)
    assert wilson_interval(0, 20) == pytest.approx((0, 0.1611), abs=5e-5)
    assert wilson_interval(1, 29) == pytest.approx((0.0061, 0.1718), abs=5e-5)


def test_slices_are_evaluated_apart_without_unlabelled_rows():
    answers = say(["A > x", "A > y", "B > x", "B > x", "A > x"])
    truth = ["A > x", "A > x", "B > x", "B > x", None]
    result = evaluate_slices(answers, truth, {"language": ["zh", "zh", "en", "en", "fr"]})
    assert list(result["language"]) == ["en", "zh"]
    assert result["language"]["zh"]["num_examples"] == 2
    assert result["language"]["zh"]["accuracy"] == 0.5
    # Over the slice's one true class: precision 1, recall 1/2.
    assert result["language"]["zh"]["macro_f1"] == pytest.approx(2 / 3)
    assert result["language"]["en"]["macro_f1"] == 1


def test_a_slicing_must_have_a_value_for_each_row():
    with pytest.raises(ValueError, match=r"Expected 1 values of 'language'. Received: 2"):
        evaluate_slices(say(["A > x"]), ["A > x"], {"language": ["en", "en"]})


def test_worst_rows_are_the_most_confident_wrong_ones():
    answers = make_answers(
        [[0.6, 0.4, 0, 0], [0.9, 0.1, 0, 0], [0.8, 0.2, 0, 0], [0.95, 0.05, 0, 0], [1, 0, 0, 0]]
    )
    truth = ["A > y", "A > y", "new", "A > x", None]
    assert worst_rows(answers, truth) == [1, 2, 0]
    assert worst_rows(answers, truth, limit=1) == [1]


def test_says_what_is_missing_where_nothing_can_be_evaluated():
    with pytest.raises(ValueError, match=r"at least one row with a label. Received: 0 rows"):
        evaluate_answers(make_answers([]), [])
    with pytest.raises(ValueError, match=r"Received: 1 rows, 1 of them without one"):
        evaluate_answers(say(["A > x"]), [None])
    with pytest.raises(ValueError, match=r"for each of 1 rows. Received: 2 values"):
        evaluate_answers(say(["A > x"]), ["A > x", "A > x"])


def test_rare_classes_are_those_of_few_training_rows(random_case):
    answers, truth = random_case
    per_class = evaluate_answers(answers, truth)["per_class"]
    parts = evaluate_tail(per_class, {"A > x": 100, "A > y": 21, "B > x": 20})
    for part, names in (("tail", NAMES[2:]), ("head", NAMES[:2])):
        rows = [row for row, label in enumerate(truth) if label in names]
        right = [answers.labels[row] == truth[row] for row in rows]
        f1 = reference.f1_score(truth, answers.labels, labels=names, average="macro")
        assert parts[part] == pytest.approx(
            {
                "num_classes": 2,
                "num_examples": len(rows),
                "accuracy": np.mean(right),
                "macro_f1": f1,
            }
        )
    assert list(evaluate_tail(per_class, dict.fromkeys(NAMES, 50))) == ["head"]

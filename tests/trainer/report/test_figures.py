from __future__ import annotations

import base64
from xml.etree import ElementTree

import pytest

from trainer.report.figures.confusion_matrix import choose_classes, draw_confusion_matrix
from trainer.report.figures.learning_curves import draw_learning_curve
from trainer.report.figures.reliability import draw_reliability
from trainer.report.figures.study_bars import draw_study_bars
from trainer.report.figures.svg import FOREGROUND, shorten
from trainer.report.study_row import StudyRow


def texts(uri: str) -> list[str]:
    """Returns the words in a picture, which must be well-formed SVG in the page's colours."""
    source = base64.b64decode(uri.removeprefix("data:image/svg+xml;base64,")).decode()
    assert FOREGROUND not in source
    assert "prefers-color-scheme" in source
    root = ElementTree.fromstring(source)
    return ["".join(node.itertext()) for node in root.iter("{http://www.w3.org/2000/svg}text")]


def test_confusion_matrix_shows_counts_and_names():
    confusions = {("lamp", "lamp"): 41, ("lamp", "rug"): 7, ("rug", "rug"): 0, ("电灯", "rug"): 3}
    names = choose_classes(confusions)
    assert names == ["lamp", "rug", "电灯"]
    words = texts(draw_confusion_matrix(confusions, names))
    assert {"41", "7", "3", "lamp", "rug", "电灯"} <= set(words)
    assert "0" not in words


def test_of_many_classes_the_most_confused_are_drawn():
    confusions = {(f"c{index}", f"c{index}"): 100 for index in range(60)}
    confusions |= {("c7", "c9"): 2, ("c50", "c9"): 1}
    assert choose_classes(confusions) == ["c50", "c7", "c9"]
    assert choose_classes({key: n for key, n in confusions.items() if key[0] == key[1]}) == []


def test_learning_curve_names_its_stages_and_series():
    history = [
        {"stage": "head", "epoch": 1, "loss": 2.0, "eval_loss": 2.1},
        {"stage": "fine-tuning", "epoch": 1, "loss": 1.0, "eval_loss": None},
    ]
    assert {"head", "fine-tuning", "training", "evaluation"} <= set(
        texts(draw_learning_curve(history, "loss"))
    )
    assert draw_learning_curve(history, "accuracy") == ""
    assert draw_learning_curve([], "loss") == ""


def test_study_bars_say_their_accuracy():
    study = [StudyRow(("text",), 0.7, 0.6), StudyRow(("picture", "text"), 0.85, 0.8)]
    assert {"text", "picture + text", "70.0%", "85.0%"} <= set(texts(draw_study_bars(study, 50)))


def test_reliability_is_drawn_for_a_single_range():
    only = {"low": 0.8, "high": 0.9, "num_examples": 3, "confidence": 0.85, "accuracy": 1.0}
    assert {"confidence", "accuracy", "rows"} <= set(texts(draw_reliability([only])))


@pytest.mark.parametrize(
    ("label", "expected"),
    [
        ("Lamp", "Lamp"),
        ("A very long name of a class", "A very lo…"),
        ("Home > Garden > Lamps", "…n > Lamps"),
        ("智能手表和手环", "智能手表…"),
        ("two\nlines", "two lines"),
    ],
)
def test_labels_are_cut_where_it_costs_least(label, expected):
    assert shorten(label, 10) == expected

import numpy as np
import pytest
import tensorflow as tf

from serving.edge import rules as edge
from trainer.data.labels import LABEL_SEPARATOR
from trainer.data.rules import Rule
from trainer.layers import rule_ops
from trainer.modalities.text import MAX_CHARACTERS

NAMES = ["Home > Lamp", "Home > Rug", "Homes > Lamp"]
TEXTS = [
    b"Smart-Watch, 2nd generation",
    b"A SMART  watch",
    b"smartwatch",
    "ÉCLAIR smart\nwatch".encode(),
    "智能手表".encode(),
    b"!!!",
    b"",
    b"smart watch \xff",
    b"RED",
    "GRÜN".encode(),
]
NUMBERS = [19.99, 20.0, 20.01, np.nan, np.inf, 0.1]
CASES = [
    ("number", "above", 20.0),
    ("number", "below", 20.0),
    ("number", "above", 0.1),
    ("text", "lacks", ("smart watch", "没有")),
    ("text", "contains", ("smart watch", "手表")),
    ("text", "contains", ("éclair", "2nd (generation)")),
    ("text", "equals", ("red", "grün", "Smart WATCH \ufffd")),
]


def test_constants_are_those_of_the_trainer():
    assert edge.LABEL_SEPARATOR == LABEL_SEPARATOR
    assert edge.MAX_CHARACTERS == MAX_CHARACTERS


@pytest.mark.parametrize(("kind", "test", "value"), CASES)
@pytest.mark.parametrize("label", ["Home", "Home > Rug", "Homes"])
def test_excludes_what_the_trainer_excludes(kind, test, value, label):
    raw = {"x": np.array(NUMBERS, np.float32) if kind == "number" else TEXTS}
    tensors = {"x": tf.constant(raw["x"])}
    expected = rule_ops.find_excluded([Rule(label, "x", test, value)], NAMES, tensors).numpy()
    found = edge.find_excluded([edge.Rule(label, "x", test, value)], NAMES, raw)
    np.testing.assert_array_equal(found, expected)
    assert expected.any()


def test_texts_are_compared_as_in_the_trainer(hard_texts):
    for test, value in (("lacks", ("a", "智")), ("equals", ("a", ""))):
        tensors = {"x": tf.constant(hard_texts)}
        expected = rule_ops.find_excluded([Rule("Home", "x", test, value)], NAMES, tensors)
        found = edge.find_excluded([edge.Rule("Home", "x", test, value)], NAMES, {"x": hard_texts})
        np.testing.assert_array_equal(found, expected)


def test_no_rules_exclude_nothing():
    assert not edge.find_excluded([], NAMES, {"x": TEXTS}).any()


def test_what_is_left_keeps_its_proportions():
    random = np.random.default_rng(0)
    scores = random.dirichlet([1, 1, 1], 40).astype(np.float32)
    scores[:3] = [1, 0, 0]
    excluded = random.random((40, 3)) < 0.5
    excluded[:3] = [[True, False, False], [False, False, False], [True, True, True]]
    expected = rule_ops.exclude(tf.constant(scores), tf.constant(excluded)).numpy()
    np.testing.assert_allclose(edge.exclude(scores, excluded), expected, rtol=1e-6)
    np.testing.assert_allclose(expected[0], [0, 0.5, 0.5])

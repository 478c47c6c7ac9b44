import numpy as np
import pytest
import tensorflow as tf

from trainer.data.rules import Rule
from trainer.layers.rule_ops import exclude, find_excluded

NAMES = ["Home > Lamp", "Home > Rug", "Homes > Lamp"]
TEXTS = [
    "Smart-Watch, 2nd generation",
    "A SMART  watch",
    "smartwatch",
    "watch smart",
    "ÉCLAIR smart\nwatch",
    "智能手表",
    "!!!",
    "",
    b"smart watch \xff",
]


def is_broken(test, value, raw, dtype=tf.string):
    rule = Rule(NAMES[0], "x", test, value)
    return find_excluded([rule], NAMES, {"x": tf.constant(raw, dtype)}).numpy()[:, 0].tolist()


@pytest.mark.parametrize(("test", "expected"), [("above", [1, 1, 0, 0]), ("below", [0, 1, 1, 0])])
def test_a_number_must_be_beyond_and_none_breaks_nothing(test, expected):
    raw = [19.99, 20.0, 20.01, np.nan]
    assert is_broken(test, 20.0, raw, tf.float32) == [bool(x) for x in expected]


def test_words_are_found_in_their_order_whatever_stands_between():
    lacks = is_broken("lacks", ("smart watch", "没有"), TEXTS)
    assert lacks == [True, True, False, False, True, False, False, False, True]
    contains = is_broken("contains", ("smart watch", "没有"), TEXTS)
    assert contains == [False, False, True, True, False, True, True, False, False]
    assert is_broken("lacks", ("手表",), TEXTS).index(True) == 5
    assert is_broken("lacks", ("éclair",), TEXTS).index(True) == 4
    assert is_broken("lacks", ("2nd (generation)",), TEXTS).index(True) == 0


def test_whole_texts_are_compared_but_for_upper_and_lower_case():
    raw = ["Red", "RED wine", "blue", "Grün", ""]
    assert is_broken("equals", ("red", "GRÜN"), raw) == [False, True, True, False, False]


def test_rules_exclude_what_is_at_or_below_their_class():
    rules = [Rule("Home", "x", "above", 1.0), Rule("Homes > Lamp", "y", "equals", ("a",))]
    raw = {"x": tf.constant([0.0, 2.0, 0.0]), "y": tf.constant(["a", "b", "b"])}
    expected = [[1, 1, 0], [0, 0, 1], [1, 1, 1]]
    for run in (find_excluded, tf.function(find_excluded)):
        np.testing.assert_array_equal(run(rules, NAMES, raw), expected)
    assert not find_excluded([], NAMES, raw).numpy().any()


def test_what_is_left_keeps_its_proportions():
    scores = np.array([[0.5, 0.3, 0.2], [0.5, 0.3, 0.2], [0.5, 0.3, 0.2], [1, 0, 0]], np.float32)
    excluded = np.array([[1, 0, 0], [0, 0, 0], [1, 1, 1], [1, 0, 0]], bool)
    found = exclude(tf.constant(scores), tf.constant(excluded)).numpy()
    np.testing.assert_allclose(found[0], [0, 0.6, 0.4], rtol=1e-6)
    np.testing.assert_array_equal(found[1:3], scores[1:3])
    np.testing.assert_allclose(found[3], [0, 0.5, 0.5])

import math
from pathlib import Path

import pytest

from trainer.modalities.number import NumberModality

FOLDER = Path()


@pytest.mark.parametrize(
    ("cell", "value"), [("1,299.00", 1299.0), ("Rs. 499", 499.0), (5, 5.0), ("-0.5", -0.5)]
)
def test_numbers(cell, value):
    assert NumberModality().read([cell], FOLDER) == (value, "")


@pytest.mark.parametrize("cells", [[], [""], [None], ["NaN"], ["n/a"], [float("nan")]])
def test_absent_without_a_problem(cells):
    value, problem = NumberModality().read(cells, FOLDER)
    assert math.isnan(value)
    assert problem == ""


@pytest.mark.parametrize(
    ("cell", "problem"),
    [
        ("abc", "not a number: 'abc'"),
        ("x" * 99, f"not a number: '{'x' * 40}'"),
        ("inf", "not a finite number: 'inf'"),
        (float("-inf"), "not a finite number: '-inf'"),
        ("1e39", "not a finite number: '1e39'"),
        ([1, 2], "not a number: '[1, 2]'"),
    ],
)
def test_problems(cell, problem):
    value, found = NumberModality().read([cell], FOLDER)
    assert math.isnan(value)
    assert found == problem

import datetime
import decimal
import math

import numpy as np
import pandas as pd
import pytest

from trainer.data.cells import as_text, is_empty, parse_number


@pytest.mark.parametrize(
    "cell", [None, "", "  \t\n", float("nan"), np.float32("nan"), pd.NA, pd.NaT, b"", bytearray()]
)
def test_empty_cells(cell):
    assert is_empty(cell)
    assert as_text(cell) == ""
    assert math.isnan(parse_number(cell))


@pytest.mark.parametrize("cell", ["a", 0, 0.0, False, b"\x00", [], [None], np.zeros(2), {}])
def test_cells_that_hold_something(cell):
    assert not is_empty(cell)


@pytest.mark.parametrize(
    ("cell", "text"),
    [
        (" a  b ", "a  b"),
        (3, "3"),
        (3.0, "3"),
        (np.float32(7), "7"),
        (2.5, "2.5"),
        (True, "True"),
        (b"caf\xc3\xa9", "café"),
        (b"\xff", "\ufffd"),
        (datetime.date(2024, 1, 2), "2024-01-02"),
    ],
)
def test_text_of_a_cell(cell, text):
    assert as_text(cell) == text


@pytest.mark.parametrize(
    ("cell", "value"),
    [
        ("1699.0", 1699.0),
        ("-3", -3.0),
        ("+.5", 0.5),
        ("7.", 7.0),
        ("1e3", 1000.0),
        ("1,299.00", 1299.0),
        ("1,29,900", 129900.0),
        ("12,345,678", 12345678.0),
        ("12,5", 12.5),
        ("0,125", 0.125),
        ("1.299,00", 1299.0),
        ("1.299.000", 1299000.0),
        ("1.299", 1.299),
        ("1 299,50", 1299.5),
        ("1\u00a0299", 1299.0),
        ("1'299.50", 1299.5),
        ("Rs. 1,299", 1299.0),
        ("Rs.1,299/-", 1299.0),
        ("₹ 499", 499.0),
        ("US$ 12.50", 12.5),
        ("-$5", -5.0),
        ("12,50 €", 12.5),
        ("1299 INR", 1299.0),
        ("￥１，２９９", 1299.0),
        ("88元", 88.0),
        ("15 %", 15.0),
        ("\u22124.5", -4.5),
        (7, 7.0),
        (np.int64(8), 8.0),
        (decimal.Decimal("1.5"), 1.5),
        (True, 1.0),
        ("inf", math.inf),
        ("-Infinity", -math.inf),
        ("1e999", math.inf),
    ],
)
def test_numbers_as_people_write_them(cell, value):
    assert parse_number(cell) == value


@pytest.mark.parametrize("cell", ["NaN", "nan", "N/A", "null", "None", "-", "<NA>"])
def test_words_for_missing_are_nan(cell):
    assert math.isnan(parse_number(cell))


@pytest.mark.parametrize(
    "cell",
    [
        "abc",
        "12 cm",
        "500 g",
        "1,2,3",
        "1.2.3",
        "12-5",
        "1 2",
        "--5",
        "1,29",
        "9" * 65,
        [1, 2],
        b"x",
    ],
)
def test_what_is_no_number(cell):
    expected = 1.29 if cell == "1,29" else None
    assert parse_number(cell) == expected

import math

import numpy as np
import pytest

from serving.edge.reading import values
from serving.edge.reading.numbers import parse_number
from serving.edge.reading.values import read_value, split_cells
from trainer.data import cells as trainer_cells
from trainer.inputs import MAX_CHARACTERS
from trainer.registry import MODALITIES

TEXTS = [
    "", " ", "Red  mug,\t0.3 l\r\n", "cafe\u0301", "a\x00b\x07c\ufeff", "\u2003wide\u3000sp\u00a0",
    "\ud800 alone", "😀 智能手表", "x\x85y\x1cz", "한국어", "\u1112\u1161\u11ab", "\uffff",
    "a " * 15_000, "\u200bjoined\u200d",
]  # fmt: skip
NUMBERS = [
    "12.5", "1,299", "Rs. 1,29,900", "€ 12,50", "1299/-", "1e60", "-1e39", "3.4e38", "inf", "-inf",
    "nan", "n/a", "-", "abc", "", "  ", "１２９", "￥8", "1.299,50", "1'000.5", "+5", "--5", "5%",
    "12 kg", "0,125", ".5", "5.", "−3", "1" * 65, "9" * 64, "1,2,3", "1 299", "1.299.000", "USD 5",
]  # fmt: skip
OTHERS = [12.0, 12.5, 3, math.nan, None, np.float32(0.1), 10**400]


@pytest.mark.parametrize("kind", ["text", "category", "number"])
@pytest.mark.parametrize("told", [TEXTS, NUMBERS, OTHERS])
def test_cells_are_read_as_in_training(kind, told, tmp_path):
    modality = MODALITIES.get(kind)()
    rows = [[of] for of in told] + [[told[0], told[3], told[1]], ["", told[2]], []]
    for cells in rows:
        expected = modality.read(cells, tmp_path)
        found = read_value(kind, cells)
        assert found[1] == expected[1], cells
        both = (found[0], expected[0])
        assert both[0] == both[1] or all(map(math.isnan, both)), cells


def test_numbers_are_those_of_the_trainer():
    random = np.random.default_rng(0)
    signs = "0123456789,.' -+e€$rs%/"
    drawn = ["".join(random.choice(list(signs), random.integers(1, 9))) for _ in range(3000)]
    for text in [*NUMBERS, *drawn]:
        found, expected = parse_number(text), trainer_cells.parse_number(text)
        assert found == expected or (math.isnan(found) and math.isnan(expected)), text
    assert sum(parse_number(text) is not None for text in drawn) > 100
    assert parse_number("Rs. 1,29,900") == 129_900


def test_limits_are_those_of_the_trainer():
    assert values.MAX_CHARACTERS == MAX_CHARACTERS


def test_a_text_of_several_columns_is_split_at_the_first_line_breaks():
    assert split_cells("a\nb\nc", 1) == ["a\nb\nc"]
    assert split_cells("a\nb\nc", 2) == ["a", "b\nc"]
    assert split_cells("a\nb\nc", 0) == ["a", "b", "c"]
    assert split_cells("", 2) == [""]


def test_values_of_other_modalities_stay_as_they_are():
    assert read_value("sound", [b"RIFF"]) == (b"RIFF", "")
    assert read_value("sound", [None]) == (b"", "")


def test_a_picture_that_is_no_file_is_a_problem():
    assert read_value("image", ["a.jpg"]) == (b"", "not a picture: 'a.jpg'")
    assert read_value("image", [b"no picture"]) == (b"", "not a picture")
    assert read_value("image", [b""]) == (b"", "")

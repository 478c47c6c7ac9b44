import pandas as pd
import pytest

from trainer.data.labels import join_label, read_labels, split_label
from trainer.data.table import read_table


def _table(**columns):
    return read_table(pd.DataFrame(columns))


def test_levels_from_columns():
    table = _table(top=["A ", "A", "", None], sub=["x", " y", "z", float("nan")])
    assert read_labels(table, ["top", "sub"]) == [("A", "x"), ("A", "y"), None, None]
    assert read_labels(table, ["top"]) == [("A",), ("A",), None, None]


def test_half_a_path_is_no_label():
    assert read_labels(_table(top=["A", "A"], sub=["", "NaN"]), ["top", "sub"]) == [None, None]


def test_levels_from_one_column_of_paths():
    table = _table(path=["A > B>C", "A", " > A > ", "A > > C", "", None])
    expected = [("A", "B", "C"), ("A",), ("A",), None, None, None]
    assert read_labels(table, ["path"], separator=" > ") == expected
    assert read_labels(_table(path=["A/B"]), ["path"], separator="/") == [("A", "B")]


def test_whole_numbers_keep_their_name_beside_gaps():
    assert read_labels(_table(code=[3.0, None]), ["code"]) == [("3",), None]


def test_one_column_without_separator_is_flat():
    assert read_labels(_table(path=["A > B"]), ["path"]) == [("A > B",)]


def test_join_and_split_are_inverse():
    path = ("Home & Garden", "杯子", "a>b")
    assert join_label(path) == "Home & Garden > 杯子 > a>b"
    assert split_label(join_label(path)) == path


def test_bad_calls_are_refused():
    table = _table(category=["A"], sub=["B > C"])
    with pytest.raises(ValueError, match="Did you mean 'category'"):
        read_labels(table, ["categori"])
    with pytest.raises(ValueError, match="one column of paths"):
        read_labels(table, ["category", "sub"], separator=">")
    with pytest.raises(ValueError, match="not be blank"):
        read_labels(table, ["category"], separator=" ")
    with pytest.raises(ValueError, match=r"'B > C' in row 0"):
        read_labels(table, ["category", "sub"])
    with pytest.raises(ValueError, match="At least one"):
        read_labels(table, [])

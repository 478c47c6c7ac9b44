from pathlib import Path

import pandas as pd
import pytest

from trainer.data.table import iter_table, read_table


def _csv(folder, data, name="t.csv"):
    path = folder / name
    path.write_bytes(data if isinstance(data, bytes) else data.encode())
    return path


def test_csv_cells_stay_text(tmp_path):
    path = _csv(tmp_path, 'id,title,price\n007,"Mug, ""blue""\nlarge",NaN\n, null,1.50\n')
    table = read_table(path)
    assert table.folder == tmp_path
    assert table.frame.to_dict("list") == {
        "id": ["007", ""],
        "title": ['Mug, "blue"\nlarge', " null"],
        "price": ["NaN", "1.50"],
    }


@pytest.mark.parametrize(
    "data",
    [
        b"\xef\xbb\xbfa,b\n1,\xe6\x9d\xaf\n",
        b"a,b\r\n1,\xe6\x9d\xaf\r\n",
        b" a , b\n1,\xe6\x9d\xaf",
        b"a,b\n\n1,\xe6\x9d\xaf\n  \n",
        b'"a","b"\n"1","\xe6\x9d\xaf"\n',
    ],
)
def test_bom_line_ends_blanks_and_quotes_do_not_matter(tmp_path, data):
    frame = read_table(str(_csv(tmp_path, data))).frame
    assert frame.to_dict("list") == {"a": ["1"], "b": ["杯"]}


def test_a_table_without_rows_is_valid(tmp_path):
    frame = read_table(_csv(tmp_path, "a,b\n")).frame
    assert list(frame.columns) == ["a", "b"]
    assert len(frame) == 0


def test_a_cell_may_be_long(tmp_path):
    frame = read_table(_csv(tmp_path, "a,b\n1," + "x" * 300_000)).frame
    assert len(frame["b"][0]) == 300_000


def test_one_column_keeps_blank_rows(tmp_path):
    assert read_table(_csv(tmp_path, "a\n1\n\n3\n")).frame["a"].tolist() == ["1", "", "3"]


def test_a_saved_index_is_named_as_pandas_does(tmp_path):
    frame = read_table(_csv(tmp_path, ",a\n0,x\n")).frame
    assert list(frame.columns) == ["Unnamed: 0", "a"]


def test_tsv(tmp_path):
    frame = read_table(_csv(tmp_path, "a\tb\n1\tx,y\n", "t.tsv")).frame
    assert frame.to_dict("list") == {"a": ["1"], "b": ["x,y"]}


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "column names; it is empty"),
        (b"\n1,2\n", "column names; it is empty"),
        (b"a,b\n1,2\n1,2,3\n", r"2\. Received 3 in line 3"),
        (b'a,b\n"1\n2",2\n1\n', r"2\. Received 1 in line 4"),
        (b"a,b\n1,\xe9\n", r"byte 0xe9 in line 2 is not.*iconv"),
        ("a,b\n1,2\n".encode("utf-16"), "must be UTF-8"),
        (b'a,b\n1,"2\n3,4\n', "Broken CSV.*line 3"),
        (b"a,b,a\n1,2,3\n", r"more than one \['a'\]"),
        (b"a;b\n1;2\n", "separated by commas"),
        (b"7,images/7.jpg\n", "looks like data"),
        (b"mug,12.50\n", "looks like data.*'12.50'"),
        (b"mug,https://x.org/1\n", "looks like data"),
    ],
)
def test_broken_csv_is_refused_with_path_and_place(tmp_path, data, message):
    path = _csv(tmp_path, data)
    with pytest.raises(ValueError, match=f"(?s){message}") as error:
        read_table(path)
    assert str(path) in str(error.value)


def test_missing_and_unknown_files(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"absent\.csv"):
        read_table(tmp_path / "absent.csv")
    with pytest.raises(ValueError, match="Received a folder"):
        read_table(tmp_path)
    with pytest.raises(ValueError, match=r"one of .*\.parquet.*Received: .*t\.xlsx"):
        read_table(_csv(tmp_path, b"PK", "t.xlsx"))
    with pytest.raises(ValueError, match=r"Not a readable Parquet file: .*t\.parquet"):
        read_table(_csv(tmp_path, b"PAR1 no", "t.parquet"))


def test_parquet_keeps_types(tmp_path):
    frame = pd.DataFrame({"price": [1.5, None], "picture": [b"\xff\xd8", None]}, index=[5, 6])
    frame.to_parquet(tmp_path / "t.parquet")
    table = read_table(tmp_path / "t.parquet")
    assert table.frame.index.tolist() == [0, 1]
    assert table.frame["price"].dtype == "float64"
    assert table.frame["picture"][0] == b"\xff\xd8"


def test_frames(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    frame = pd.DataFrame({"title": ["a", "b"]}, index=pd.Index(["x", "y"], name="id"))
    table = read_table(frame)
    assert table.folder == Path.cwd()
    assert table.frame.to_dict("list") == {"id": ["x", "y"], "title": ["a", "b"]}
    assert list(frame.columns) == ["title"]
    frame.attrs["folder"] = "/pictures"
    assert read_table(frame).folder == Path("/pictures")
    with pytest.raises(ValueError, match="unique"):
        read_table(pd.DataFrame([[1, 2]], columns=["a", "a"]))
    with pytest.raises(ValueError, match="needs columns"):
        read_table(pd.DataFrame())


@pytest.mark.parametrize("name", ["t.csv", "t.tsv", "t.parquet"])
@pytest.mark.parametrize("rows", [0, 1, 5, 6])
def test_some_rows_at_a_time_are_the_same_rows(tmp_path, name, rows):
    texts = [f'{row}\n"' for row in range(rows)]
    frame = pd.DataFrame({"n": range(rows), "text": pd.Series(texts, dtype=str)})
    path = tmp_path / name
    if name.endswith("parquet"):
        frame.to_parquet(path)
    else:
        frame.to_csv(path, index=False, sep="\t" if name.endswith("tsv") else ",")
    parts = list(iter_table(path, 3))
    assert [len(part.frame) for part in parts] == (
        [3] * (rows // 3) + [rows % 3] * (rows % 3 > 0) or [0]
    )
    whole = pd.concat([part.frame for part in parts], ignore_index=True)
    pd.testing.assert_frame_equal(whole, read_table(path).frame)


def test_a_broken_row_is_found_where_it_is(tmp_path):
    parts = iter_table(_csv(tmp_path, "a,b\n1,2\n1,2\n1\n"), 1)
    assert len(next(parts).frame) == 1
    with pytest.raises(ValueError, match="in line 4"):
        list(parts)


def test_long_cells_of_two_tables_at_once(tmp_path):
    data = f"a,b\n1,{'x' * 200_000}\n2,3\n"
    paths = [_csv(tmp_path, data, name) for name in ("p.csv", "q.csv")]
    first, second = (iter_table(path, 1) for path in paths)
    assert len(next(first).frame["b"][0]) == len(next(second).frame["b"][0]) == 200_000
    assert next(first).frame["b"][0] == next(second).frame["b"][0] == "3"

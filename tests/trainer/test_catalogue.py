import json
import os

import pandas as pd
import pytest

from trainer.catalogue import load_catalogue
from trainer.config import DataConfig

ROWS = 24


@pytest.fixture
def frame(tmp_path):
    for row in range(ROWS - 1):
        (tmp_path / f"{row}.jpg").write_bytes(b"picture %d" % row)
    frame = pd.DataFrame(
        {
            "title": [f"thing {'red' if row % 2 else 'blue'} {row * 7919}" for row in range(ROWS)],
            "price": [f"{row}.5" for row in range(ROWS)],
            "picture": [*(f"{row}.jpg" for row in range(ROWS - 1)), ""],
            "label": ["a" if row % 2 else "b" for row in range(ROWS)],
        }
    )
    frame.attrs["folder"] = str(tmp_path)
    return frame


def load(frame, **data):
    said = []
    columns = {"picture": "image", **data.pop("columns", {})}
    config = DataConfig(**{"label": ("label",), "columns": columns, **data})
    return load_catalogue(frame, config, said.append), said


def fingerprint(frame, **data):
    return load(frame, **data)[0].fingerprint()


def test_fingerprint_is_of_what_the_training_reads(frame, tmp_path):
    first = fingerprint(frame)
    assert fingerprint(frame) == first
    assert fingerprint(frame.assign(price=frame["price"].replace("3.5", "4.5"))) != first
    assert fingerprint(frame.assign(label=["a", *frame["label"][1:]])) != first
    assert fingerprint(frame, seed=1) != first
    assert fingerprint(frame, ignore=("price",)) != first
    (tmp_path / "0.jpg").write_bytes(b"another")
    assert fingerprint(frame) != first


def test_fingerprint_ignores_what_else_happens_in_the_folder(frame, tmp_path):
    """A row without picture must not stand for the folder, which changes with every run."""
    first = fingerprint(frame)
    (tmp_path / "run").mkdir()
    os.utime(tmp_path, (1, 1))
    assert fingerprint(frame) == first


def test_fingerprint_sees_pictures_behind_paths_of_windows(frame, tmp_path):
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "a.jpg").write_bytes(b"one")
    frame.loc[0, "picture"] = "deep\\a.jpg"
    first = fingerprint(frame)
    (tmp_path / "deep" / "a.jpg").write_bytes(b"other")
    assert fingerprint(frame) != first


def test_cells_that_are_no_paths_are_no_error(frame):
    frame.loc[0, "picture"] = "x" * 5000
    frame.loc[1, "picture"] = "a\0b.jpg"
    assert fingerprint(frame)


def test_rows_without_label_are_counted_and_left_out(frame):
    frame.loc[[1, 2], "label"] = ""
    catalogue, said = load(frame)
    assert len(catalogue.ids) == ROWS - 2
    assert catalogue.ids[:2] == ["0", "3"], "ids are row numbers of the whole table"
    assert catalogue.rows_left_out == {"no label": 2}
    assert any(line.split()[:2] == ["price", "number"] for line in said)


def test_a_leaking_column_is_left_out_unless_insisted_on(frame):
    frame["code"] = [f"{label.upper()}{row % 3}" for row, label in enumerate(frame["label"])]
    left_out, said = load(frame)
    assert set(left_out.leaks) == {"code"}
    assert left_out.columns["code"].kind == "ignored"
    assert all("code" not in spec.columns for spec in left_out.inputs)
    assert any(line.split()[:2] == ["code", "ignored"] for line in said)
    used, _ = load(frame, use=("code",))
    assert used.leaks == {}
    assert any("code" in spec.columns for spec in used.inputs)
    with pytest.raises(ValueError, match=r"data\.use.*Did you mean 'code'\?"):
        load(frame, use=("cod",))


def test_levels_of_a_column_of_paths_are_numbered(frame):
    frame["label"] = [f"x/{label}" for label in frame["label"]]
    catalogue, _ = load(frame, label_separator="/")
    assert catalogue.class_names == ["x > a", "x > b"]
    assert catalogue.level_names == ("label_1", "label_2")


@pytest.fixture
def taxonomy(tmp_path):
    """Returns a function that writes a taxonomy of some classes and returns its path."""

    def write(*class_names, **more):
        path = tmp_path / "taxonomy.json"
        classes = [{"class": name, **more} for name in class_names]
        path.write_text(json.dumps({"classes": classes}))
        return str(path)

    return write


def test_classes_of_the_taxonomy_need_no_row(frame, taxonomy):
    catalogue, _ = load(frame, taxonomy=taxonomy("c", "a", "b"))
    assert catalogue.class_names == ["a", "b", "c"]
    assert set(catalogue.class_ids.tolist()) == {0, 1}


def test_a_label_outside_the_taxonomy_is_named(frame, taxonomy):
    with pytest.raises(ValueError, match=f"{ROWS // 2} rows have others, first .*'0': 'b'"):
        load(frame, taxonomy=taxonomy("a", "c"))


def test_other_words_for_a_class_are_another_catalogue(frame, taxonomy):
    first = fingerprint(frame, taxonomy=taxonomy("a", "b"))
    assert first == fingerprint(frame)
    assert first != fingerprint(frame, taxonomy=taxonomy("a", "b", synonyms=["thing"]))


@pytest.fixture
def suspicious(tmp_path):
    """Returns a table of 12 rows and a function that reads it with what `clean` found."""
    frame = pd.DataFrame(
        {
            "id": [f"p{row}" for row in range(12)],
            "title": [f"a product called number {row}" for row in range(12)],
            "label": ["a", "b", "c"] * 4,
            "split": ["train"] * 9 + ["test"] * 3,
        }
    )
    path = tmp_path / "suspicious.csv"

    def load(lines, header="id,label,suspicious,suggested_label\n", **options):
        path.write_text(header + lines)
        config = DataConfig(label=("label",), suspicious=str(path), **options)
        return load_catalogue(frame, config, say=lambda line: None)

    return load


LINES = "p0,a,True,b\np1,b,False,c\np3,c,True,b\np10,b,True,a\n"


def test_suspicious_training_rows_are_dropped(suspicious):
    catalogue = suspicious(LINES, wrong_labels="drop")
    assert catalogue.rows("train").tolist() == list(range(1, 9))
    assert len(catalogue.rows("test")) == 3
    assert catalogue.rows_left_out == {"suspicious label": 1}
    assert catalogue.split_names == ["train", "eval", "test"]


def test_suspicious_training_rows_are_relabelled(suspicious):
    catalogue = suspicious(LINES)
    assert catalogue.labels == ["b", "b", "c", *["a", "b", "c"] * 3]
    assert len(catalogue.rows("train")) == 9


def test_suspicious_training_rows_count_as_much_as_their_quality(suspicious):
    header = "id,label,suspicious,label_quality\n"
    lines = "p0,a,True,0.25\np1,b,False,0.9\np3,a,yes,0\np10,b,True,0.1\n"
    catalogue = suspicious(lines, header, wrong_labels="downweight")
    assert catalogue.weights.tolist() == [0.25, 1, 1, 0, *[1] * 8]
    assert catalogue.labels == ["a", "b", "c"] * 4
    assert len(catalogue.rows("train")) == 9
    dropped = suspicious(lines, header, wrong_labels="drop")
    assert dropped.rows("train").tolist() == [1, 2, 4, 5, 6, 7, 8]
    other = suspicious(lines.replace("0.25", "0.3"), header, wrong_labels="downweight")
    assert other.fingerprint() != catalogue.fingerprint()
    with pytest.raises(ValueError, match=r"quality of id 'p0' must be .* 0 to 1.*'much'"):
        suspicious(lines.replace("0.25", "much"), header, wrong_labels="downweight")
    with pytest.raises(ValueError, match=r"column.*'suggested_label'"):
        suspicious(lines, header)


def test_other_rows_dropped_are_another_catalogue(suspicious):
    prints = {
        suspicious(f"p{row},{'abc'[row % 3]},yes,a\n", wrong_labels="drop").fingerprint()
        for row in (0, 1, 2)
    }
    assert len(prints) == 3


@pytest.mark.parametrize(
    ("lines", "options", "message"),
    [
        ("p0,a,True,d\n", {}, r"'p0'.*Expected one of \['a', 'b', 'c'\]"),
        ("p0,a,maybe,b\n", {}, r"suspicious.*'p0'.*'maybe'"),
        ("q0,a,True,b\n", {}, "names no row of this table"),
        (
            "".join(f"p{row},{'abc'[row % 3]},1,a\n" for row in range(9)),
            {"wrong_labels": "drop"},
            "no row to train on",
        ),
    ],
)
def test_suspicions_that_do_not_fit_are_named(suspicious, lines, options, message):
    with pytest.raises(ValueError, match=message):
        suspicious(lines, **options)


def test_a_missing_file_of_suspicions_is_named():
    frame = pd.DataFrame({"title": ["a b", "c d"], "label": ["a", "b"]})
    config = DataConfig(label=("label",), suspicious="nowhere.csv")
    with pytest.raises(FileNotFoundError, match=r"nowhere\.csv"):
        load_catalogue(frame, config, say=lambda line: None)


def test_of_many_rows_without_a_label_some_are_drawn(frame, tmp_path, monkeypatch):
    monkeypatch.setattr("trainer.catalogue._MAX_UNLABELED", 5)
    more = pd.DataFrame({"title": [f"unknown {row * 104729}" for row in range(9)]})
    more["price"], more["picture"] = "", ""
    more.loc[3] = frame.loc[23, ["title", "price", "picture"]]
    path = tmp_path / "more.csv"
    more.to_csv(path, index=False)
    found, _ = load(frame, unlabeled=str(path))
    titles = found.unlabeled.frame["title"].tolist()
    assert len(titles) == 5
    assert [title for title in more["title"] if title in titles] == titles
    assert found.rows_left_out == {
        "no label, nearly the same as a labelled row": 1,
        "no label, more than can be compared": 3,
    }
    assert load(frame, unlabeled=str(path), seed=1)[0].unlabeled.frame["title"].tolist() != titles

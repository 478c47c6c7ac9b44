from __future__ import annotations

import hashlib
import io
from pathlib import Path

import pandas as pd
import pytest
from PIL import Image

from trainer.demo_catalogue import catalogue
from trainer.demo_catalogue.catalogue import COLUMNS, write_demo_catalogue
from trainer.demo_catalogue.evidence import load_evidence
from trainer.demo_catalogue.taxonomy import CLASSES

NUM_PRODUCTS = 120


@pytest.fixture(scope="module")
def table_path(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("demo") / "catalogue"
    return write_demo_catalogue(folder, num_products=NUM_PRODUCTS, seed=5)


@pytest.fixture(scope="module")
def table(table_path) -> pd.DataFrame:
    return pd.read_csv(table_path, dtype=str, keep_default_na=False).set_index("id")


@pytest.fixture(scope="module")
def evidence(table_path):
    return load_evidence(table_path.parent / "evidence.jsonl")


def _digests(folder: Path) -> dict[str, str]:
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def test_the_seed_decides_every_byte(tmp_path):
    first = write_demo_catalogue(tmp_path / "a", num_products=30, seed=1).parent
    second = write_demo_catalogue(tmp_path / "b", num_products=30, seed=1).parent
    other = write_demo_catalogue(tmp_path / "c", num_products=30, seed=2).parent
    assert _digests(first) == _digests(second)
    assert _digests(first) != _digests(other)


def test_the_folder_holds_what_its_readme_says(table_path, table):
    assert {each.name for each in table_path.parent.iterdir()} == {
        "products.csv",
        "images",
        "evidence.jsonl",
        "slices.csv",
        "README.txt",
    }
    assert list(COLUMNS) == ["id", *table.columns]
    readme = (table_path.parent / "README.txt").read_text(encoding="utf-8")
    assert all(f"  {column} " in readme for column in COLUMNS)
    assert "120 products, seed 5" in readme


def test_every_named_picture_exists_and_no_other(table_path, table):
    named = {name for name in table["image"] if name}
    found = {f"images/{path.name}" for path in (table_path.parent / "images").iterdir()}
    assert named == found
    for name in sorted(named)[:10]:
        with Image.open(io.BytesIO((table_path.parent / name).read_bytes())) as picture:
            assert picture.format == "JPEG"
            assert 230 <= picture.width <= 320 and 230 <= picture.height <= 320


def test_evidence_says_what_is_missing(table, evidence):
    assert [record.id for record in evidence] == list(table.index)
    for record in evidence:
        row = table.loc[record.id]
        columns = ("image", "title", "description", "price")
        assert set(record.missing) == {column for column in columns if row[column] == ""}
        assert row["image"] or row["title"] or row["description"]


def test_evidence_says_which_labels_are_wrong(table, evidence):
    paths = {each.path for each in CLASSES}
    for record in evidence:
        row = table.loc[record.id]
        claimed = f"{row['category']} > {row['subcategory']}"
        assert claimed in paths and record.true_label in paths
        assert record.wrong_label == (claimed != record.true_label)
    assert sum(record.wrong_label for record in evidence) == 2


def test_deciding_words_stand_in_the_row(table, evidence):
    for record in evidence:
        row = table.loc[record.id]
        assert all(word in row["title"] + "\n" + row["description"] for word in record.words)
        assert all(word in row["description"] for word in record.distractors)
        has_text = bool(row["title"] or row["description"])
        assert bool(record.words) == (record.needs != "picture" and has_text)
        chinese = any("\u4e00" <= letter <= "\u9fff" for letter in row["title"])
        assert not row["title"] or chinese == (record.language == "zh")


def test_regions_lie_in_their_pictures(table_path, table, evidence):
    for record in evidence:
        name = table.loc[record.id, "image"]
        assert (record.region is None) == (record.needs == "text" or not name)
        if record.region is not None:
            with Image.open(table_path.parent / name) as picture:
                left, top, right, bottom = record.region
                assert 0 <= left < right <= picture.width
                assert 0 <= top < bottom <= picture.height


def test_near_duplicates_share_a_group_and_a_class(table, evidence):
    by_group: dict[int, list] = {}
    for record in evidence:
        by_group.setdefault(record.duplicate_group, []).append(record)
    assert sum(len(group) - 1 for group in by_group.values()) == 7
    for group in by_group.values():
        assert len({record.true_label for record in group}) == 1
        pictures = [table.loc[record.id, "image"] for record in group]
        assert len(set(pictures)) == len(pictures) or "" in pictures


def test_slices_are_a_view_of_the_evidence(table_path, evidence):
    slices = pd.read_csv(table_path.parent / "slices.csv")
    assert list(slices.columns) == ["id", "needs", "language", "wrong_label"]
    expected = [(each.id, each.needs, each.language, each.wrong_label) for each in evidence]
    assert list(slices.itertuples(index=False, name=None)) == expected


def test_an_earlier_catalogue_is_replaced_and_nothing_is_left_behind(tmp_path):
    out = tmp_path / "demo"
    write_demo_catalogue(out, num_products=40, seed=0)
    write_demo_catalogue(out, num_products=26, seed=0)
    assert len(pd.read_csv(out / "products.csv")) == 26
    assert [each.name for each in tmp_path.iterdir()] == ["demo"]


def test_other_files_are_never_overwritten(tmp_path):
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(FileExistsError, match=r"a folder with \['notes.txt'\]"):
        write_demo_catalogue(tmp_path, num_products=26)
    with pytest.raises(FileExistsError, match="a file"):
        write_demo_catalogue(tmp_path / "notes.txt", num_products=26)
    assert (tmp_path / "notes.txt").read_text() == "mine"


def test_a_catalogue_with_the_users_own_files_is_kept(tmp_path):
    out = write_demo_catalogue(tmp_path / "demo", num_products=26).parent
    (out / "notes.txt").write_text("mine")
    with pytest.raises(FileExistsError, match=r"notes\.txt"):
        write_demo_catalogue(out, num_products=26)


def test_a_failure_leaves_the_old_catalogue(tmp_path, monkeypatch):
    out = write_demo_catalogue(tmp_path / "demo", num_products=26).parent
    before = _digests(out)

    def fail(*_):
        raise OSError("disk full")

    monkeypatch.setattr(catalogue, "write_evidence", fail)
    with pytest.raises(OSError, match="disk full"):
        write_demo_catalogue(out, num_products=30)
    assert _digests(out) == before
    assert [each.name for each in tmp_path.iterdir()] == ["demo"]

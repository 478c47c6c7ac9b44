import json
import os
import stat
from pathlib import Path

import pytest

from trainer import files
from trainer.files import file_state, new_file, new_folder, remove_folder, write_json, write_text


class Broken(Exception):
    pass


def listing(folder):
    return sorted(path.name for path in folder.rglob("*"))


def test_writes_text_into_new_folders(tmp_path):
    write_text(tmp_path / "a" / "b.txt", "中 😀")
    assert (tmp_path / "a" / "b.txt").read_bytes() == "中 😀".encode()
    assert listing(tmp_path / "a") == ["b.txt"]
    assert stat.S_IMODE(os.stat(tmp_path / "a" / "b.txt").st_mode) & stat.S_IROTH


def test_text_that_cannot_be_written_leaves_the_old_file(tmp_path):
    write_text(tmp_path / "a.txt", "old")
    with pytest.raises(UnicodeEncodeError):
        write_text(tmp_path / "a.txt", "new \ud800")
    assert (tmp_path / "a.txt").read_text() == "old"
    assert listing(tmp_path) == ["a.txt"]


def test_json_is_readable_by_people(tmp_path):
    write_json(tmp_path / "a.json", {"名": [1.5, None]})
    assert json.loads((tmp_path / "a.json").read_text(encoding="utf-8")) == {"名": [1.5, None]}
    assert "名" in (tmp_path / "a.json").read_text(encoding="utf-8")


def test_value_that_is_no_json_leaves_the_old_file(tmp_path):
    write_json(tmp_path / "a.json", 1)
    with pytest.raises(TypeError):
        write_json(tmp_path / "a.json", object())
    assert json.loads((tmp_path / "a.json").read_text()) == 1
    assert listing(tmp_path) == ["a.json"]


def test_file_appears_at_the_end(tmp_path):
    path = tmp_path / "deep" / "a.keras"
    with new_file(path) as temporary:
        assert temporary.suffix == ".keras"
        temporary.write_text("new")
        assert not path.exists()
    assert path.read_text() == "new"
    assert listing(path.parent) == ["a.keras"]


def test_file_writer_that_raises_leaves_nothing(tmp_path):
    path = tmp_path / "a.csv"
    with pytest.raises(Broken), new_file(path) as temporary:
        temporary.write_text("half")
        raise Broken
    assert listing(tmp_path) == []
    path.write_text("old")
    with pytest.raises(Broken), new_file(path) as temporary:
        temporary.write_text("half")
        raise Broken
    assert path.read_text() == "old"
    assert listing(tmp_path) == ["a.csv"]


def test_folder_takes_the_place_of_the_old_one(tmp_path):
    path = tmp_path / "deep" / "1"
    for content in ("old", "new"):
        with new_folder(path) as temporary:
            (temporary / f"{content}.txt").write_text(content)
    assert listing(path.parent) == ["1", "new.txt"]


def test_folder_writer_that_raises_leaves_the_old_folder(tmp_path):
    path = tmp_path / "1"
    with new_folder(path) as temporary:
        (temporary / "a.txt").write_text("old")
    with pytest.raises(Broken), new_folder(path) as temporary:
        (temporary / "b.txt").write_text("half")
        raise Broken
    assert listing(tmp_path) == ["1", "a.txt"]


@pytest.mark.parametrize("kind", ["text", "file", "folder"])
def test_what_a_killed_process_left_is_removed(tmp_path, kind):
    path = tmp_path / "result"
    killed = tmp_path / ".partial-99999-result"
    other = tmp_path / ".partial-99999-other"
    for leftover in (killed, other):
        if kind == "folder":
            leftover.mkdir()
        else:
            leftover.write_text("half")
    if kind == "folder":
        with new_folder(path) as temporary:
            (temporary / "a.txt").write_text("whole")
    elif kind == "file":
        with new_file(path) as temporary:
            temporary.write_text("whole")
    else:
        write_text(path, "whole")
    assert path.exists()
    assert not killed.exists()
    assert other.exists()


@pytest.mark.parametrize("act", ["replace", "remove"])
def test_a_process_that_dies_while_removing_leaves_no_ruin(tmp_path, monkeypatch, act):
    path = tmp_path / "last"
    names = ["state.json", "weights.h5"]

    def write(content):
        with new_folder(path) as temporary:
            for name in names:
                (temporary / name).write_text(content)

    def die(folder, *_, **__):
        if folder.exists():
            (folder / names[0]).unlink()
            raise Broken

    write("old")
    monkeypatch.setattr(files.shutil, "rmtree", die)
    with pytest.raises(Broken):
        write("new") if act == "replace" else remove_folder(path)
    monkeypatch.undo()
    if act == "replace":
        assert [(path / name).read_text() for name in names] == ["new", "new"]
    else:
        assert not path.exists()
    write("newest")
    assert listing(tmp_path) == ["last", *names]


def test_removes_a_folder(tmp_path):
    (tmp_path / "a" / "b").mkdir(parents=True)
    remove_folder(tmp_path / "a")
    remove_folder(tmp_path / "never-there")
    assert listing(tmp_path) == []


def test_the_state_of_a_file_changes_with_it(tmp_path):
    file = tmp_path / "weights"
    assert file_state(file) == file_state(tmp_path) == file_state(Path("a" * 5000)) == "absent"
    file.write_text("one")
    before = file_state(file)
    assert file_state(file) == before != "absent"
    file.write_text("other")
    assert file_state(file) != before

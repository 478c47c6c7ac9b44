from __future__ import annotations

from pathlib import Path

import pytest

from serving.deploy.whole_folder import replaced_folder

OURS = {"a", "b"}


def names(folder: Path) -> list[str]:
    return sorted(child.name for child in folder.iterdir())


def test_a_folder_appears_when_it_is_whole(tmp_path: Path) -> None:
    with replaced_folder(tmp_path / "new" / "out", OURS) as folder:
        (folder / "a").write_text("1")
        assert not (tmp_path / "new" / "out").exists()
    assert names(tmp_path / "new" / "out") == ["a"]
    assert names(tmp_path / "new") == ["out"]


def test_the_new_content_replaces_all_of_the_old(tmp_path: Path) -> None:
    for name in ("a", "b"):
        with replaced_folder(tmp_path / "out", OURS) as folder:
            (folder / name).write_text(name)
    assert names(tmp_path / "out") == ["b"]
    assert names(tmp_path) == ["out"]


def test_a_failure_leaves_the_old_as_it_was(tmp_path: Path) -> None:
    with replaced_folder(tmp_path / "out", OURS) as folder:
        (folder / "a").write_text("old")
    with pytest.raises(OSError, match="disk"), replaced_folder(tmp_path / "out", OURS) as folder:
        (folder / "a").write_text("new")
        raise OSError("disk full")
    assert (tmp_path / "out" / "a").read_text() == "old"
    assert names(tmp_path) == ["out"]


def test_what_is_not_ours_is_never_removed(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "notes.txt").write_text("mine")
    with (
        pytest.raises(FileExistsError, match=r"did not write .*'notes.txt'"),
        replaced_folder(tmp_path / "out", OURS),
    ):
        pass
    assert (tmp_path / "out" / "notes.txt").read_text() == "mine"


def test_a_file_is_not_replaced_by_a_folder(tmp_path: Path) -> None:
    (tmp_path / "out").write_text("mine")
    with pytest.raises(FileExistsError, match="is a file"), replaced_folder(tmp_path / "out", OURS):
        pass
    assert (tmp_path / "out").read_text() == "mine"


def test_an_empty_folder_is_free_to_use(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    with replaced_folder(tmp_path / "out", OURS) as folder:
        (folder / "a").write_text("1")
    assert names(tmp_path / "out") == ["a"]


def test_leftovers_of_killed_processes_go_and_others_stay(tmp_path: Path) -> None:
    for name in (".partial-77-out", ".partial-77-other"):
        (tmp_path / name).mkdir()
    with replaced_folder(tmp_path / "out", OURS):
        pass
    assert names(tmp_path) == [".partial-77-other", "out"]


def test_a_folder_that_a_killed_process_had_set_aside_comes_back(tmp_path: Path) -> None:
    (tmp_path / ".partial-77-out.old").mkdir()
    (tmp_path / ".partial-77-out.old" / "a").write_text("old")
    (tmp_path / ".partial-77-out").mkdir()
    with pytest.raises(OSError, match="disk"), replaced_folder(tmp_path / "out", OURS):
        raise OSError("disk full")
    assert (tmp_path / "out" / "a").read_text() == "old"
    assert names(tmp_path) == ["out"]

"""What has a second place is whole there, and what people may edit is their own."""

import os

import pytest

from components.links import lay_out, link_tree


@pytest.fixture
def made(tmp_path):
    """A folder with a small file and a large one."""
    folder = tmp_path / "made"
    folder.mkdir()
    (folder / "config.json").write_text("{}")
    (folder / "weights").write_bytes(os.urandom(2**20 + 1))
    return folder


def test_what_people_may_edit_is_a_copy(made, tmp_path):
    for name in ("config.json", "weights"):
        lay_out(made / name, tmp_path / name)
    assert (tmp_path / "weights").samefile(made / "weights")
    (tmp_path / "config.json").write_text("mine")
    assert (made / "config.json").read_text() == "{}"
    lay_out(made / "config.json", tmp_path / "config.json")
    assert (tmp_path / "config.json").read_text() == "{}"


def test_a_copy_is_whole_or_not_there(made, tmp_path, monkeypatch):
    """Where nothing can be linked, and the copy is interrupted."""

    def link(*args):
        raise OSError("no links here")

    def copy(source, target):
        target.write_bytes(source.read_bytes()[:10])
        raise KeyboardInterrupt

    monkeypatch.setattr("components.links.os.link", link)
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr("components.links.shutil.copyfile", copy)
        link_tree(made / "weights", tmp_path / "weights")
    assert not (tmp_path / "weights").exists()
    link_tree(made / "weights", tmp_path / "weights")
    assert (tmp_path / "weights").read_bytes() == (made / "weights").read_bytes()

"""Hashes outlive the process that noted them, and a damaged file costs no more than they do."""

from pathlib import Path

import pytest

from components.file_hashes import FileHashes


@pytest.fixture
def hashes(tmp_path):
    """Returns a function that opens the file."""
    return lambda: FileHashes(tmp_path / "hashes.sqlite")


def test_what_was_committed_is_there_for_others(hashes):
    first, second = hashes(), hashes()
    first.put(Path("a"), "1", "digest")
    assert second.get(Path("a"), "1") is None
    first.commit()
    assert second.get(Path("a"), "1") == "digest"
    assert second.get(Path("a"), "2") is None
    first.close()
    second.close()


def test_a_damaged_file_is_made_anew(hashes, tmp_path):
    (tmp_path / "hashes.sqlite").write_bytes(b"not a database" * 100)
    opened = hashes()
    opened.put(Path("a"), "1", "digest")
    opened.close()
    again = hashes()
    assert again.get(Path("a"), "1") == "digest"
    again.close()

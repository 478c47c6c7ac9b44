"""What a configuration names beside the table is part of what a step is made from."""

import dataclasses

import pytest

from components.configuration import files_of
from components.content import fingerprint
from trainer.config import load_config


@pytest.fixture
def config():
    return dataclasses.asdict(load_config("tiny"))


def test_pictures_of_rows_without_a_label_count(config, tmp_path):
    (tmp_path / "more.csv").write_text("title,picture\na,one.png\n")
    (tmp_path / "one.png").write_bytes(b"1")
    config["data"]["unlabeled"] = str(tmp_path / "more.csv")
    before = fingerprint(files_of(config))
    (tmp_path / "one.png").write_bytes(b"2")
    assert fingerprint(files_of(config)) != before


def test_of_a_teacher_what_answers_counts_and_nothing_else(config, tmp_path):
    config["train"]["teacher"] = str(tmp_path)
    assert files_of(config) == []
    version = tmp_path / "export" / "1"
    for path in (tmp_path / "model.keras", version / "saved_model.pb"):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("1")
    before = fingerprint(files_of(config))
    (tmp_path / "pipeline").mkdir()
    (tmp_path / "pipeline" / "metadata.sqlite").write_text("a run")
    assert fingerprint(files_of(config)) == before
    (tmp_path / "model.keras").write_text("2")
    assert fingerprint(files_of(config)) != before

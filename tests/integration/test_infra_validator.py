"""A trained model in a real server, asked as clients will."""

from __future__ import annotations

import json
import shutil

import psutil
import pytest

from components.examples import Example, ExamplesInfo, shard_path, write_shard
from components.infra_validator import executor
from components.infra_validator.component import Parameters
from trainer.artefact import find_export
from trainer.data.columns import Column
from trainer.data.table import read_table

ROWS = 24


@pytest.fixture(scope="module")
def examples(shop, tmp_path_factory):
    """Returns an artifact of the first products of the shop, in a split and two shards."""
    folder = tmp_path_factory.mktemp("examples")
    table = read_table(shop)
    kinds = {"title": "text", "description": "text", "price": "number", "colour": "category"}
    kinds |= {"picture": "image"}
    rows = []
    for row in range(ROWS):
        values = {}
        for name, kind in kinds.items():
            if cell := table.frame[name].iat[row]:
                picture = kind == "image" and (shop.parent / cell).read_bytes()
                values[name] = picture or (float(cell) if kind == "number" else cell.encode())
        rows.append(Example(f"p{row}", row, values))
    for index in range(2):
        write_shard(shard_path(folder, "eval", index, 2), rows[index::2])
    columns = tuple(Column(name, kind, "") for name, kind in kinds.items())
    ExamplesInfo(columns, (), {"eval": 2}, {"eval": ROWS}).write(folder)
    return folder


@pytest.fixture
def validate(trained, examples, tmp_path):
    """Returns a function that validates a model; what is in the artifact, and what was measured."""

    def go(model=trained.folder, place="blessing", **values):
        folder, scratch = tmp_path / place, tmp_path / "scratch"
        for path in (folder, scratch):
            path.mkdir(exist_ok=True)
        parameters = Parameters(**{"products": 16, "requests": 10, **values})
        inputs = {"model": model, "examples": examples}
        told = executor.execute(inputs, {"blessing": folder}, parameters, scratch)["blessing"]
        assert told["blessed"] == (folder / "BLESSED").is_file()
        assert told["blessed"] != (folder / "NOT_BLESSED").is_file()
        return json.loads((folder / "infra.json").read_text()), told

    return go


def test_a_model_that_is_served_as_it_answers_is_blessed(validate, tmp_path):
    before = psutil.Process().children(recursive=True)
    told, measured = validate()
    assert measured["blessed"], told["reasons"]
    assert told["reasons"] == []
    assert told["products"] == 16
    assert told["cases"][:2] == ["a broken picture as image_bytes", "an empty product"]
    assert measured["max_difference"] < 1e-5
    assert 0 < measured["p50_ms"] <= measured["p99_ms"]
    assert measured["memory_mb"] > 100
    assert measured["start_seconds"] > 0.5
    assert psutil.Process().children(recursive=True) == before
    # The same again, to the byte: what is measured stands in no file.
    validate(place="again")
    for path in (tmp_path / "blessing").iterdir():
        assert path.read_bytes() == (tmp_path / "again" / path.name).read_bytes()


def test_limits_are_held(validate):
    told, measured = validate(p50_ms=1e-3, p99_ms=1e6, memory_mb=1.0)
    assert not measured["blessed"]
    assert told["reasons"] == [
        "p50_ms is above its limit of 0.001",
        "memory_mb is above its limit of 1",
    ]


def test_a_model_that_does_not_load_is_refused(validate, trained, tmp_path):
    shutil.copytree(find_export(trained.folder), tmp_path / "model" / "1")
    for path in (tmp_path / "model" / "1" / "variables").iterdir():
        path.write_bytes(b"")
    told, measured = validate(tmp_path / "model")
    assert not measured["blessed"]
    assert told["reasons"][0].startswith("the model itself does not answer: ")


def test_a_server_that_answers_otherwise_is_refused(validate, monkeypatch):
    real = executor.CandidateServer.predict

    def distorted(self, instances):
        answers = real(self, instances)
        answers[0]["scores"][0] += 0.01
        return answers

    monkeypatch.setattr(executor.CandidateServer, "predict", distorted)
    told, measured = validate(requests=1)
    assert not measured["blessed"]
    assert "one product: 'p0' has scores that differ by more than 0.0001" in told["reasons"]


def test_a_server_that_does_not_start_is_refused(validate):
    told, measured = validate(start_seconds=0.05)
    assert not measured["blessed"]
    assert told["reasons"] == ["the server: it did not start within 0.05 s"]

"""What a job is, whoever does its shards."""

import json
import sys
from pathlib import Path

import pytest

from components import shards
from components.engines.local import LocalEngine
from components.shards import attempt, find_engine, run_shards


def square(spec, shared):
    """Notes each call, so that tests see which shards were done."""
    with (Path(shared["calls"]) / "calls").open("a") as file:
        file.write(f"{spec['number']}\n")
    if spec["number"] == shared.get("broken"):
        raise ValueError(f"The number {spec['number']} cannot be squared.")
    if shared.get("as_bytes"):
        return b"%d" % spec["number"] ** 2
    return {"square": spec["number"] ** 2, "text": "é"}


class Backwards(LocalEngine):
    """Does the last shards first, each twice."""

    def run(self, job, waiting):
        for index in reversed(waiting):
            job.do(index)
            job.do(index)


@pytest.fixture
def run(tmp_path):
    def go(numbers=range(5), engine=None, **shared):
        shared = {"calls": str(tmp_path), **shared}
        specs = [{"number": number} for number in numbers]
        return list(run_shards("Squares", square, specs, shared, tmp_path / "notes", engine))

    go.calls = lambda: [int(line) for line in (tmp_path / "calls").read_text().split()]
    return go


def test_what_shards_return_comes_in_their_order(run):
    found = run(engine=Backwards(""))
    assert found == [{"square": number**2, "text": "é"} for number in range(5)]
    assert run.calls() == [4, 3, 2, 1, 0]


def test_bytes_are_returned_as_they_are(run):
    assert run(as_bytes=True) == [b"%d" % number**2 for number in range(5)]


def test_an_interrupted_job_goes_on(run):
    with pytest.raises(ValueError, match="The number 3 cannot be squared"):
        run(broken=3)
    assert run.calls() == [0, 1, 2, 3]
    assert len(run()) == 5
    assert run.calls() == [0, 1, 2, 3, 3, 4]
    assert len(run()) == 5
    assert len(run.calls()) == 6


def test_a_shard_that_nobody_did_is_told(run, monkeypatch):
    class Lazy(LocalEngine):
        def run(self, job, waiting):
            super().run(job, waiting[:-1])

    monkeypatch.setattr(shards, "_PATIENCE", 0)
    with pytest.raises(RuntimeError, match="Squares: shard 4 of 5 was not done"):
        run(engine=Lazy(""))


def test_no_shards_at_all(run):
    assert run(numbers=[]) == []


def test_only_what_can_be_imported_is_done(tmp_path):
    def own(spec, shared):
        return 0

    with pytest.raises(ValueError, match="must be able to import it"):
        run_shards("Own", own, [{}], {}, tmp_path)


def test_engines_are_found_by_name(monkeypatch):
    assert type(find_engine()) is LocalEngine
    monkeypatch.setenv("TAXOFUSE_ENGINE", "locla")
    with pytest.raises(ValueError, match=r"Unknown engine.*Did you mean 'local'"):
        find_engine()
    with pytest.raises(ValueError, match="is told nothing"):
        find_engine("local:8")


def test_a_file_appears_whole_or_not_at_all(tmp_path):
    path = tmp_path / "made" / "file.json"
    with pytest.raises(RuntimeError), attempt(path) as temporary:
        temporary.write_text("half")
        raise RuntimeError
    assert list(path.parent.iterdir()) == []
    with attempt(path) as first, attempt(path) as second:
        first.write_text("1")
        second.write_text("1")
    assert json.loads(path.read_text()) == 1
    assert list(path.parent.iterdir()) == [path]


def test_beam_is_told_what_it_understands():
    with pytest.raises(ValueError, match="dask:ADDRESS"):
        find_engine("beam:tcp://host:8786")


def test_without_beam_it_is_said_what_to_install(run, monkeypatch):
    monkeypatch.setitem(sys.modules, "apache_beam", None)
    with pytest.raises(ValueError, match=r"pip install taxofuse\[beam\]"):
        run(engine=find_engine("beam"))

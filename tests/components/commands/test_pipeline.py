"""The sub-commands of `taxofuse pipeline`, called as from a shell."""

import json
import xml.etree.ElementTree as ET

import pytest

from components.commands import pipeline
from components.metadata import FILE, Metadata
from components.pusher.versions import Versions
from components.runner import locked


@pytest.fixture
def call(push, capsys):
    """Returns a function that runs a sub-command in the workdir and returns what it printed."""
    import argparse

    def go(action, *arguments):
        parser = argparse.ArgumentParser()
        pipeline.add_arguments(parser)
        args = parser.parse_args([action, "--workdir", str(push.workdir), *map(str, arguments)])
        capsys.readouterr()
        assert pipeline.run(args) == 0
        return capsys.readouterr().out

    return go


def test_status(push, call):
    push("a")
    push("b", blessed=False)
    lines = call("status").splitlines()
    assert lines[0].startswith("Run 2 of shop, ")
    assert [line.split()[:2] for line in lines[1:4]] == [
        ["Read", "cached"],
        ["Train", "done"],
        ["Pusher", "done"],
    ]
    assert "pushed_model (nothing: model_blessing is not BLESSED" in lines[3]
    assert lines[5].split() == ["Run", "Started", "Outcome", "Seconds", "Steps"]
    assert [line.split()[0] for line in lines[6:]] == ["1", "2"]
    assert lines[7].endswith("1 cached, 2 done")
    assert len(call("status", "--runs", "1").splitlines()) == 7
    first, second = json.loads(call("status", "--json"))["runs"]
    assert (first["outcome"], first["steps"][2]["outputs"]["pushed_model"]["type"]) == (
        "done",
        "PushedModel",
    )
    assert second["steps"][0]["outcome"] == "cached"


def test_status_tells_why_a_step_failed(push, call):
    push("a")
    push.table.unlink()
    push("a")
    (line,) = [line for line in call("status").splitlines() if line.startswith("  Read")]
    assert line.split()[1] == "failed"
    assert str(push.table) in line


def test_rollback_and_lineage(push, call, tmp_path):
    push("a")
    push("b")
    told = call("rollback")
    assert told == (
        f"Version 3 is live in {push.destination}: the model of version 1, instead of version 2\n"
    )
    assert call("rollback", "--to", 2).startswith("Version 4 is live")
    assert Versions(push.destination).numbers() == [2, 3, 4]
    assert "roll_back" in call("status")
    picture = tmp_path / "lineage.svg"
    tree = call("lineage", push.destination / "3", "--out", picture)
    assert tree.startswith("pushed_model: PushedModel")
    assert "version=3" in tree
    assert ET.parse(picture).getroot().tag.endswith("svg")
    data = json.loads(call("lineage", push.destination / "3", "--json"))["data"]
    assert [source["step"] for source in data] == ["Read"]


def test_gc(push, call):
    for words in "abcd":
        push(words, keep=1)
    before = set(push.root.glob("*/*/*"))
    told = call("gc", "--keep", 1, "--dry-run").splitlines()
    assert set(push.root.glob("*/*/*")) == before
    assert told[-1].endswith("would be removed")
    again = call("gc", "--keep", 1).splitlines()
    assert again[:-1] == told[:-1]
    gone = {str(path.relative_to(push.root)) for path in before - set(push.root.glob("*/*/*"))}
    assert gone == {line.split("  ")[0] for line in told[:-1]}
    assert again[-1] == f"{len(gone)} folders, 0.0 MB were removed"
    # c is what a roll-back goes to.
    assert len(gone) == 2 * 3
    assert call("gc", "--keep", 1) == "0 folders, 0.0 MB were removed\n"


def test_what_cannot_be_done_is_told(push, call):
    with pytest.raises(FileNotFoundError, match=r"No pipeline was run in .*metadata.sqlite"):
        call("status")
    push("a", blessed=False)
    with pytest.raises(ValueError, match="Nothing was pushed yet"):
        call("rollback")
    push("a")
    with pytest.raises(ValueError, match=r"Unknown step that pushed. Expected one of \['Pusher'\]"):
        call("rollback", "--step", "Pushr")
    with pytest.raises(ValueError, match=r"--out must end in \.svg"):
        call("lineage", push.destination, "--out", "lineage.png")
    with pytest.raises(ValueError, match="--runs must be at least 1"):
        call("status", "--runs", 0)
    with locked(push.root):
        for action in ("gc", "rollback"):
            with pytest.raises(ValueError, match="Another run works in"):
                call(action)
        assert "Run 2 of shop" in call("status")
    assert len(Metadata(push.root / FILE).runs()) == 2


def test_several_workers_do_not_run_one_pipeline(call, monkeypatch):
    told = {"cluster": {"worker": ["a:1", "b:1"]}, "task": {"type": "worker", "index": 0}}
    monkeypatch.setenv("TF_CONFIG", json.dumps(told))
    with pytest.raises(ValueError, match="unset TF_CONFIG"):
        call("run", "--data", "products.csv")

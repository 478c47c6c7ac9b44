"""What is pushed, what is not, and what a kill leaves."""

import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from components.content import fingerprint
from components.pusher.component import COMPONENT
from components.pusher.pushed import describe_other, read_pushed
from components.pusher.versions import Versions
from trainer.artefact import find_export

ROOT = Path(__file__).parents[3]


def outcome(results):
    return str(results["Pusher"].outcome)


def pushed_model(results):
    return results["Pusher"].outputs["pushed_model"]


def test_a_blessed_model_is_pushed_and_its_artifact_says_which(push):
    results = push()
    artifact = pushed_model(results)
    model = results["Train"].outputs["model"].uri / "export" / "1"
    told = read_pushed(artifact.uri)
    assert (told.version, told.model) == (1, fingerprint([model]))
    assert told.run == json.loads((model / "assets.extra/taxofuse.json").read_text())["run"]
    assert artifact.properties == {"version": 1, "model": told.model, "run": told.run}
    assert fingerprint([push.destination / "1"]) == told.model
    assert find_export(push.destination) == push.destination / "1"
    assert outcome(push()) == "cached"


def test_a_model_that_is_not_blessed_is_not_pushed(push):
    push()
    results = push("b", blessed=False)
    artifact = pushed_model(results)
    assert outcome(results) == "done"
    assert artifact.properties["empty"]
    assert "model_blessing is not BLESSED" in artifact.properties["reason"]
    reasons = json.loads((artifact.uri / "not_pushed.json").read_text())["reasons"]
    assert "; ".join(reasons) == artifact.properties["reason"]
    assert Versions(push.destination).numbers() == [1]
    assert outcome(push("b", blessed=False)) == "cached"


def test_old_versions_go_and_their_runs_do_not_bring_them_back(push):
    for words in "abcd":
        push(words, keep=2)
    assert Versions(push.destination).numbers() == [3, 4]
    again = push("a", keep=2)
    assert outcome(again) == "cached"
    assert Versions(push.destination).numbers() == [3, 4]
    told = describe_other(pushed_model(again).uri, Versions(push.destination))
    assert "as version 1, and replaced: version 4 is live" in told
    assert describe_other(pushed_model(push("d", keep=2)).uri, Versions(push.destination)) == ""


def test_a_version_that_was_removed_is_pushed_again(push):
    push()
    shutil.rmtree(push.destination / "1")
    assert outcome(push()) == "done"
    (push.destination / "1" / "saved_model.pb").unlink()
    results = push()
    assert outcome(results) == "done"
    assert pushed_model(results).properties["version"] == 2


def test_parameters_are_checked():
    for values, told in (
        ({}, "needs the parameter 'destination'"),
        ({"destination": "serving"}, "whole path of its folder"),
        ({"destination": "/x", "keep": 0}, "at least 1 version"),
    ):
        with pytest.raises(ValueError, match=told):
            COMPONENT.make_parameters(values)
    # As the worker reads them, from JSON.
    assert COMPONENT.make_parameters({"destination": "/x", "pinned": [2]}).pinned == (2,)


KILLED = """
import os, signal, sys
from pathlib import Path
from components.pusher import executor
from components.pusher.component import COMPONENT

calls = 0

def trace(event, args):
    global calls
    if event in ("os.link", "os.rename", "os.mkdir", "shutil.rmtree", "os.remove", "open"):
        if event == "open" and {destination!r} not in str(args[0]):
            return
        calls += 1
        if calls == {kill}:
            os.kill(os.getpid(), signal.SIGKILL)

output = Path({output!r})
output.mkdir()
parameters = COMPONENT.make_parameters({{"destination": {destination!r}, "keep": 2}})
inputs = {{"model": Path({model!r}), "model_blessing": None, "infra_blessing": None}}
sys.addaudithook(trace)
executor.execute(inputs, {{"pushed_model": output}}, parameters, output)
"""


def test_killed_at_every_step_it_leaves_whole_versions_and_pushes_once(tmp_path):
    """At every file that is made, linked, renamed or removed."""

    def make_model(name):
        for file in ("variables/data", "saved_model.pb"):
            path = tmp_path / name / "export" / "1" / file
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(f"{name} {file}" * 50)
        return tmp_path / name

    def execute(model, kill=0):
        output = tmp_path / "output"
        shutil.rmtree(output, ignore_errors=True)
        code = KILLED.format(
            kill=kill, model=str(model), destination=str(tmp_path / "served"), output=str(output)
        )
        done = subprocess.run(
            [sys.executable, "-c", code], cwd=ROOT, capture_output=True, check=False
        )
        assert done.returncode in (0, -signal.SIGKILL), done.stderr.decode()[-2000:]
        return done.returncode == 0

    versions = Versions(tmp_path / "served")
    known = {}
    kills = 0
    for number in range(1, 30):
        model = make_model(f"model-{number}")
        known[number] = fingerprint([model / "export" / "1"])
        killed = not execute(model, kill=number)
        kills += killed
        for there in versions.numbers():
            assert versions.content(there) == known[there]
        if killed:
            assert execute(model)
        assert versions.numbers() == [of for of in (number - 1, number) if of]
        assert read_pushed(tmp_path / "output").version == number
        assert not [name for name in os.listdir(versions.folder) if name.startswith(".push-")]
        if not killed:
            break
    assert kills >= 10

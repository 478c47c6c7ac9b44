"""Steps in a process of another Python, and what it says that they depend on."""

from __future__ import annotations

import sys

import pytest

from components.component import Component
from components.tfx.process import PYTHON, execute, find_python, find_unseen
from components.tfx.unseen import find_unseen as find_unseen_here
from components.worker import StepFailed


@pytest.fixture
def other_python(tmp_path, monkeypatch):
    """Returns a function that makes a Python which notes a variable when it is used."""

    def make(*options):
        log = tmp_path / "log"
        path = tmp_path / "python"
        path.write_text(
            f'#!/bin/sh\necho "${{TF_USE_LEGACY_KERAS-none}} $2" >> {log}\n'
            f'exec {sys.executable} {" ".join(options)} "$@"\n'
        )
        path.chmod(0o755)
        monkeypatch.setenv(PYTHON, str(path))
        return log

    return make


def test_a_step_is_done_by_the_python_that_is_named(toys, other_python, tmp_path, monkeypatch):
    log = other_python()
    monkeypatch.setenv("TF_USE_LEGACY_KERAS", "1")
    folder, scratch = tmp_path / "examples", tmp_path / "scratch"
    for path in (folder, scratch):
        path.mkdir()
    (tmp_path / "table").write_text("a,b")
    file = {"file": str(tmp_path / "table")}
    assert execute("toy_read", {}, {"examples": folder}, file, scratch) == {"examples": {"span": 3}}
    assert (folder / "text").read_text() == "a,b"
    assert log.read_text() == "none components.worker\n"


def test_a_step_that_fails_says_why(toys, tmp_path, monkeypatch):
    monkeypatch.delenv(PYTHON, raising=False)
    assert find_python() == sys.executable
    inputs = {"examples": tmp_path}
    (tmp_path / "text").write_text("a")
    (tmp_path / "scratch").mkdir()
    with pytest.raises(StepFailed, match="the parameter `by` says so"):
        execute("toy_double", inputs, inputs, {"by": "raise"}, tmp_path / "scratch")


def test_a_python_that_is_not_there_is_named(monkeypatch, tmp_path):
    monkeypatch.setenv(PYTHON, str(tmp_path / "none"))
    with pytest.raises(ValueError, match=f"{PYTHON} must be the path .* Received: .*none"):
        find_python()


def test_a_python_without_taxofuse_is_named(toys, other_python):
    other_python("-I", "-S")
    with pytest.raises(StepFailed, match=r"It must have taxofuse.*No module named"):
        find_unseen("toy_read", {"file": "t"}, {})


def test_files_and_code_are_seen(toys, other_python, tmp_path):
    log = other_python()
    table = tmp_path / "table"

    def ask(text):
        table.write_text(text)
        return find_unseen("toy_read", {"file": str(table)}, {})

    first, same, other = ask("a"), ask("a"), ask("b")
    assert first == same
    assert first["files"] != other["files"]
    assert first["code"] == other["code"]
    executor = tmp_path / "packages" / "toy_read" / "executor.py"
    executor.write_text(executor.read_text() + "\n# changed\n")
    assert ask("b") == {**other, "code": ask("b")["code"]}
    assert ask("b")["code"] != other["code"]
    assert set(log.read_text().splitlines()) == {"none components.tfx.unseen"}


def test_wrong_parameters_are_told(toys):
    with pytest.raises(StepFailed, match="Unknown parameter of Read"):
        find_unseen("toy_read", {"fil": "t"}, {})


def test_the_last_execution_whose_outputs_are_lost(toys, tmp_path):
    component = Component(
        name="Place",
        package="toy_read",
        inputs={},
        outputs={"model": "Model"},
        holds=lambda parameters, outputs: (outputs["model"] / "there").is_file(),
    )
    for name in ("one", "three"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "there").touch()
    made = {
        str(execution): {"model": str(tmp_path / name)}
        for execution, name in ((4, "one"), (11, "two"), (9, "two"), (12, "three"))
    }
    assert find_unseen_here(component, {}, made)["lost"] == 11
    assert find_unseen_here(component, {}, {"4": made["4"]})["lost"] == 0

"""The command line: quick help, exit codes, and answers to wrong calls that name the right ones."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
COMMANDS = ("demo-data", "run", "train", "evaluate", "predict", "export")


def timed_help(*arguments):
    """Returns output and CPU seconds of a help call in a process of its own."""
    before = os.times()
    code = "import sys; from trainer.cli import main; main(sys.argv[1:])"
    command = [sys.executable, "-X", "importtime", "-c", code, *arguments, "--help"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    after = os.times()
    seconds = after.children_user + after.children_system
    return done, seconds - before.children_user - before.children_system


@pytest.mark.parametrize("arguments", [(), ("run",)])
def test_help_is_quick_and_imports_nothing_heavy(arguments):
    done, seconds = timed_help(*arguments)
    assert seconds < 0.5
    imported = {line.split("|")[-1].strip().split(".")[0] for line in done.stderr.splitlines()}
    assert "trainer" in imported
    assert not imported & {"tensorflow", "keras", "numpy", "pandas", "sklearn"}
    assert "usage: taxofuse" in done.stdout


def test_help_lists_every_command(call):
    done = call("--help")
    assert done.code == 0
    for name in COMMANDS:
        assert re.search(rf"^ +{name}\b", done.stdout, re.MULTILINE), name
    assert done.stderr == ""


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_explains_itself(call, command):
    done = call(command, "--help")
    assert done.code == 0
    assert f"usage: taxofuse {command}" in done.stdout


def test_version(call):
    done = call("--version")
    assert (done.code, done.stdout.split()[0]) == (0, "taxofuse")


@pytest.fixture
def refused(call, shop, tmp_path):
    """Returns a function that makes a wrong `run` call and returns what stderr says."""

    def run(*more, data=shop, label="department"):
        arguments = ["run", "--data", data, "--label", label, "--workdir", tmp_path / "w"]
        done = call(*arguments, *more)
        assert done.code == 2
        assert done.stdout == ""
        assert "Traceback" not in done.stderr
        # Nothing but steps that are done already, which the mended call goes on from.
        assert {path.name for path in (tmp_path / "w").glob("*")} <= {"pipeline"}
        assert not (tmp_path / "w" / "pipeline" / "ModelTrainer").exists()
        return done.stderr

    return run


@pytest.mark.parametrize(
    ("more", "messages"),
    [
        (["--labels", "x"], ["--labels", "--label"]),
        (["--lable", "x"], ["--lable", "Did you mean '--label'?", "--workdir"]),
        (["--config", "tinny"], ["'tinny'", "'default'", "Did you mean 'tiny'?"]),
        (["--config", "nowhere.py"], ["No configuration file at", "nowhere.py"]),
        (["--set", "train.head_epoch=1"], ["'head_epoch'", "Did you mean 'head_epochs'?"]),
        (["--set", "train.head_epochs=few"], ["train.head_epochs must be of type int", "few"]),
        (["--set", "model.fusion=gatd"], ["'gatd'", "'concat'", "Did you mean 'gated'?"]),
        (["--set", "model.fusion_options.x=1"], ["'x'", "option of fusion 'concat'"]),
        (["--set", "model.encoders.text.brt={}"], ["'brt'", "Did you mean 'bert'?"]),
        (["--set", "model.encoders.text.ngram.dims=1"], ["'dims'", "Did you mean 'dim'?"]),
        (["--set", "data.columns.price=numbr"], ["'numbr'", "Did you mean 'number'?"]),
        (["--set", "data.columns.prize=number"], ["'prize'", "Did you mean 'price'?"]),
        (["--set", "data.use=shelv"], ["'shelv'", "Did you mean 'shelf'?"]),
        (["--set", "data.split=splits"], ["'splits'", "Expected one of"]),
        (["--ignore", "pictur"], ["'pictur'", "Did you mean 'picture'?"]),
        (["--unlabeled", "nowhere.csv"], ["does not exist", "nowhere.csv"]),
    ],
)
def test_wrong_values_are_answered_with_valid_ones(refused, more, messages):
    stderr = refused("--config", "tiny", *more)
    for message in messages:
        assert message in stderr


def test_no_row_to_report_on_is_refused_before_training(call, shop, tmp_path):
    arguments = ["run", "--data", shop, "--label", "department", "--config", "tiny"]
    done = call(*arguments, "--workdir", tmp_path, "--set", "data.fractions=1,0,0")
    assert done.code == 2
    assert "No rows are held out to report figures on" in done.stderr
    assert not list(tmp_path.rglob("checkpoints"))


def test_unknown_command_names_the_known_ones(call):
    done = call("runn")
    assert done.code == 2
    for name in COMMANDS:
        assert name in done.stderr


def test_missing_arguments_are_named(call):
    done = call("run", "--data", "x.csv")
    assert done.code == 2
    assert "--workdir" in done.stderr


def test_missing_table_is_named_whole(refused, tmp_path):
    missing = tmp_path / "nowhere.csv"
    assert f"The table does not exist: {missing}" in refused("--config", "tiny", data=missing)


def test_unknown_label_column_is_answered_with_a_close_one(refused):
    stderr = refused("--config", "tiny", label="department,categry")
    assert "Did you mean 'category'?" in stderr


@pytest.mark.parametrize("command", ["predict", "evaluate", "export"])
def test_a_folder_without_model_is_named(call, shop, tmp_path, command):
    data = [] if command == "export" else ["--data", shop]
    done = call(command, "--model", tmp_path, *data, "--out", tmp_path / "out.csv")
    assert done.code == 2
    assert f"No exported model in {tmp_path}" in done.stderr


def test_evaluate_without_labels_is_refused(call, trained, shop, tmp_path):
    table = tmp_path / "t.csv"
    table.write_text("id,title\n1,lamp\n")
    done = call("evaluate", "--model", trained.folder, "--data", table, "--out", tmp_path / "o")
    assert done.code == 2
    assert "'department'" in done.stderr


def test_work_that_fails_exits_with_1(call, trained, shop, tmp_path, monkeypatch):
    def fail(*_, **__):
        raise OSError("disk full")

    monkeypatch.setattr("trainer.predictor.Predictor.answer", fail)
    arguments = ["predict", "--model", trained.folder, "--data", shop, "--out", tmp_path / "a.csv"]
    done = call(*arguments)
    assert done.code == 1
    assert "taxofuse predict failed: OSError: disk full" in done.stderr
    assert "Traceback" not in done.stderr
    assert "Traceback" in call("--debug", *arguments).stderr

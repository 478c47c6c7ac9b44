"""A run that learns from another one, from the command line."""

from __future__ import annotations

from trainer.data.table import read_table
from trainer.predictor import Predictor


def test_a_run_learns_from_a_finished_one(
    trained, shop, run_arguments, call, tmp_path_factory
) -> None:
    workdir = tmp_path_factory.mktemp("runs") / "taught"
    more = [
        "train.temperature=2",
        "train.study=false",
        "model.encoders.text={'ngram': {'dim': 16}}",
    ]
    settings = [part for of in more for part in ("--set", of)]
    taught = ["--set", f"train.teacher={trained.folder}", *settings]
    done = call(*run_arguments(shop, workdir, *taught), folder=workdir)
    assert done.code == 0, done.stderr
    assert "so figures on them flatter" in done.stderr
    table = read_table(shop)
    answers = [Predictor(folder).answer(table).scores for folder in (workdir, trained.folder)]
    same = (answers[0].argmax(axis=1) == answers[1].argmax(axis=1)).mean()
    assert same > 0.9
    again = call(*run_arguments(shop, workdir, *taught), folder=workdir)
    assert again.code == 0 and "head" not in again.stderr, "it was trained again"


def test_a_folder_that_is_no_run_cannot_teach(shop, run_arguments, call, tmp_path) -> None:
    arguments = run_arguments(shop, tmp_path / "taught", "--set", f"train.teacher={tmp_path}")
    done = call(*arguments)
    assert done.code == 2 and "train.teacher must be the workdir" in done.stderr

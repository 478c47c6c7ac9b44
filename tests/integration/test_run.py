"""The main job leaves what DESIGN promises."""

from __future__ import annotations

import dataclasses
import json
import time

import numpy as np
import pandas as pd
import pytest

from trainer.artefact import ModelCard, find_export
from trainer.config import Config
from trainer.data.seen_rows import TRAINED_ROWS_FILE, digest_rows
from trainer.run import Run

LEAKS = ("category_path", "shelf")


@pytest.fixture(scope="module")
def metrics(trained):
    return json.loads((trained.folder / "metrics.json").read_text(encoding="utf-8"))


def test_workdir_holds_what_is_promised(trained):
    for name in ("config.json", "metrics.json", "report.html", "model.keras"):
        assert (trained.folder / name).stat().st_size > 0, name
    assert (trained.folder / "export" / "1" / "saved_model.pb").is_file()
    assert list((trained.folder / "logs").rglob("events.out.tfevents.*"))
    assert not list(trained.folder.rglob(".partial-*"))
    assert not list(trained.folder.rglob("checkpoints"))


def test_metrics_have_the_promised_keys(metrics):
    assert {"accuracy", "macro_f1", "weighted_f1", "per_class", "num_examples"} <= set(metrics)
    parts = [metrics[part] for part in ("tail", "head") if part in metrics]
    assert sum(part["num_examples"] for part in parts) == metrics["num_examples"]
    assert set(metrics["levels"]) == {"department", "category"}
    assert set(metrics["per_class"]) == {"home > lamps", "worn > watches", "worn > shirts"}
    assert sum(of["support"] for of in metrics["per_class"].values()) == metrics["num_examples"]
    assert metrics["levels"]["department"]["accuracy"] >= metrics["accuracy"]


def test_learns_the_shop(metrics):
    assert metrics["accuracy"] >= 0.8


def test_results_go_to_stdout_and_the_rest_to_stderr(trained, metrics):
    assert f"accuracy           {metrics['accuracy']:.4f}" in trained.stdout
    for name in ("report.html", "metrics.json", "export/1", "taxofuse predict --model"):
        assert name in trained.stdout
    for name in LEAKS:
        assert name in trained.stderr


def test_report_shows_what_was_left_out_and_needs_no_network(trained):
    report = (trained.folder / "report.html").read_text(encoding="utf-8")
    for name in LEAKS:
        assert name in report
    assert 'src="http' not in report
    assert '<link rel="stylesheet"' not in report


def test_leaks_are_left_out_as_if_they_had_been_ignored(trained, tmp_path):
    """The same inputs, splits and cells: the same training, to the name of its checkpoints."""
    text = (trained.folder / "config.json").read_text(encoding="utf-8")
    config = Config.from_dict(json.loads(text))
    assert config.data.ignore == ()
    runs = {}
    for ignore in ((), LEAKS):
        data = dataclasses.replace(config.data, ignore=ignore)
        runs[ignore] = Run(dataclasses.replace(config, data=data), tmp_path, quiet=True)
        runs[ignore].prepare()
    assert set(runs[()].catalogue.leaks) == set(LEAKS)
    assert runs[LEAKS].catalogue.leaks == {}
    assert runs[LEAKS].fingerprint == runs[()].fingerprint
    assert runs[LEAKS].catalogue.inputs == runs[()].catalogue.inputs


def test_config_json_is_enough_to_run_again(trained, shop, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    text = (trained.folder / "config.json").read_text(encoding="utf-8")
    config = Config.from_dict(json.loads(text))
    assert config.to_json().strip() == text.strip()
    again = Run(config, tmp_path, quiet=True)
    again.prepare()
    assert again.catalogue.level_names == ("department", "category")
    card = ModelCard.load(find_export(trained.folder))
    assert list(card.class_names) == again.catalogue.class_names
    learned_from = np.load(find_export(trained.folder) / "assets.extra" / TRAINED_ROWS_FILE)
    digests = digest_rows(again.catalogue.table, card.inputs)
    np.testing.assert_array_equal(np.sort(learned_from), np.sort(digests))


def test_the_same_command_again_changes_nothing(trained, shop, run_arguments, call):
    def state():
        files = [path for path in trained.folder.rglob("*") if path.is_file()]
        notes = trained.folder / "pipeline", trained.folder / "export"  # what was run, and locks
        return {path: path.stat().st_mtime_ns for path in files if path.parent not in notes}

    (trained.folder / "logs" / "quantized").mkdir(exist_ok=True)
    (trained.folder / "logs" / "quantized" / "events").write_text("of an export")
    before = state()
    assert len(before) > 30
    began = time.process_time()
    done = call(*run_arguments(shop, trained.folder))
    assert done.code == 0
    assert done.stdout == trained.stdout
    assert "runs" not in done.stderr
    assert state() == before
    assert time.process_time() - began < 5


def test_evaluate_measures_the_export(trained, shop, call, tmp_path):
    done = call("evaluate", "--model", trained.folder, "--data", shop, "--out", tmp_path)
    assert done.code == 0, done.stderr
    metrics = json.loads((tmp_path / "metrics.json").read_text(encoding="utf-8"))
    assert metrics["num_examples"] == 72
    assert f"accuracy     {metrics['accuracy']:.4f}" in done.stdout
    assert (tmp_path / "report.html").is_file()
    assert len((tmp_path / "answers.csv").read_text().splitlines()) == 73
    # It was trained again on all of them, once the held-out ones were answered.
    assert metrics["num_trained_on"] == 72
    assert "has learned from 72 of these rows" in done.stderr
    assert "has learned from 72 of these rows" in (tmp_path / "report.html").read_text()


def test_rows_that_are_new_are_not_said_to_be_known(trained, shop, call, tmp_path):
    frame = pd.read_csv(shop, dtype=str, keep_default_na=False)
    frame["price"] = "77"
    frame["picture"] = ""
    frame.to_csv(tmp_path / "new.csv", index=False)
    new = ("--data", tmp_path / "new.csv", "--out", tmp_path / "on-new")
    done = call("evaluate", "--model", trained.folder, *new)
    assert done.code == 0, done.stderr
    metrics = json.loads((tmp_path / "on-new" / "metrics.json").read_text(encoding="utf-8"))
    assert metrics["num_trained_on"] == 0
    assert "has learned from" not in done.stderr


def test_predict_says_which_columns_are_missing(trained, shop, call, tmp_path):
    frame = pd.read_csv(shop, dtype=str, keep_default_na=False)
    frame.rename(columns={"price": "cost"}).to_csv(tmp_path / "renamed.csv", index=False)
    renamed = ("--data", tmp_path / "renamed.csv", "--out", tmp_path / "answers.csv")
    done = call("predict", "--model", trained.folder, *renamed)
    assert done.code == 0, done.stderr
    assert "the table has no column 'price', which the model reads. It has " in done.stderr
    assert "'cost'" in done.stderr


def test_export_copies_the_model_as_the_next_version(trained, call, tmp_path):
    for version in ("1", "2"):
        done = call("export", "--model", trained.folder, "--out", tmp_path / "models")
        assert done.code == 0, done.stderr
        assert done.stdout.strip() == str(tmp_path / "models" / version)
        assert (tmp_path / "models" / version / "saved_model.pb").is_file()


@pytest.mark.slow
def test_rows_without_label_are_learned_from_and_reported(run_arguments, call, shop, tmp_path):
    frame = pd.read_csv(shop, dtype=str, keep_default_na=False)
    frame["picture"] = [name and str(shop.parent / name) for name in frame["picture"]]
    frame.loc[frame.index % 2 == 1, "category"] = ""
    frame.to_csv(tmp_path / "half.csv", index=False)
    arguments = run_arguments(tmp_path / "half.csv", tmp_path / "w")
    quick = ("--set", "train.study=False", "--set", "train.refit=never")
    done = call(*arguments, "--unlabeled", tmp_path / "half.csv", *quick)
    assert done.code == 0, done.stderr
    assert "36 rows without a label to learn from" in done.stderr
    assert "36 rows without a label were given one, " in done.stderr
    assert "Unlabeled rows that were given a class" in (tmp_path / "w" / "report.html").read_text()
    config = json.loads((tmp_path / "w" / "config.json").read_text(encoding="utf-8"))
    assert config["data"]["unlabeled"] == str(tmp_path / "half.csv")

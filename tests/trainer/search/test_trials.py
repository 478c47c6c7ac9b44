from __future__ import annotations

import csv

from trainer.search.trials import Trial, TrialLog, best_trial, write_csv

START = Trial("k", {"train.l2": 1.0}, {"accuracy": 0.8, "macro_f1": 0.7, "log_loss": 0.6}, 3.21)
BETTER = Trial("k", {"train.l2": 0.5}, {"accuracy": 0.9, "macro_f1": 0.6, "log_loss": 0.6})
FAILED = Trial("k", {"train.l2": 9.0}, error="ValueError: no, really")


def test_trials_are_found_again(tmp_path):
    log = TrialLog(tmp_path / "trials.json")
    assert log.trials == []
    for trial in (START, FAILED):
        log.add(trial)
    again = TrialLog(tmp_path / "trials.json")
    assert again.trials == [START, FAILED]
    assert again.find("k", {"train.l2": 9.0}) == FAILED
    assert again.find("k", {"train.l2": 9.1}) is None
    assert again.find("other", {"train.l2": 9.0}) is None


def test_the_best_trial_is_the_first_of_the_best_that_did_not_fail():
    trials = [FAILED, START, BETTER]
    assert best_trial(trials, "accuracy") is BETTER
    assert best_trial(trials, "macro_f1") is START
    assert best_trial(trials, "log_loss") is START


def test_csv_has_a_line_a_trial(tmp_path):
    write_csv(tmp_path / "trials.csv", [START, FAILED])
    with (tmp_path / "trials.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["trial"] for row in rows] == ["0", "1"]
    assert rows[0]["train.l2"] == "1.0"
    assert rows[0]["accuracy"] == "0.8"
    assert rows[0]["seconds"] == "3.2"
    assert rows[1]["accuracy"] == ""
    assert rows[1]["error"] == "ValueError: no, really"

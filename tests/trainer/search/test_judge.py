"""With networks that only know which rows they learned from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from scipy.special import softmax
from sklearn.metrics import accuracy_score, f1_score, log_loss

from trainer.config import Config, ModelConfig
from trainer.data.table import Table
from trainer.inputs import InputSpec
from trainer.sample import Sample
from trainer.search.judge import Judge
from trainer.search.trials import TrialLog

ROWS = 60
NUM_TEST = 12


@dataclass(frozen=True)
class FakeCatalogue:
    """A table of texts, of which the first and the fourth are the same."""

    table: Table
    labels: list[str]
    splits: np.ndarray
    ids: tuple[str, ...] = tuple(map(str, range(ROWS)))
    class_names: tuple[str, ...] = ("a", "b", "c")
    inputs: tuple[InputSpec, ...] = (InputSpec("text", "text", ("text",)),)
    auxiliary: Mapping[str, np.ndarray] = field(default_factory=dict)


class FakeRun:
    """A run whose networks answer by a table of scores, and note their rows."""

    key = "abc"

    def __init__(self, folder):
        self.config = Config(model=ModelConfig(encoders={"text": {"ngram": {}}}))
        self.workdir = folder
        rng = np.random.default_rng(0)
        self.class_ids = np.arange(ROWS) % 3
        self.logits = rng.normal(size=(ROWS, 3)) + 2 * np.eye(3)[self.class_ids]
        words = rng.choice(list("abcdefghijklmnop"), (ROWS, 40))
        texts = [" ".join(map("".join, row.reshape(8, 5))) for row in words]
        texts[3] = texts[0]
        self.catalogue = FakeCatalogue(
            Table(pd.DataFrame({"text": texts}), folder),
            ["abc"[index] for index in self.class_ids],
            np.repeat(["train", "eval", "test"], [ROWS - 2 * NUM_TEST, NUM_TEST, NUM_TEST]),
        )
        self.fits = []
        self.views = []

    def say(self, line):
        raise AssertionError(f"nothing is to be said here: {line}")

    def write_rows(self):
        self.views.append(self.config.augment.views)

    def sample(self, *splits):
        rows = np.flatnonzero(np.isin(self.catalogue.splits, splits))
        return Sample.of(rows, self.class_ids[rows])

    def fit(self, sample, watched):
        if self.config.train.l2 == 5:
            raise RuntimeError("out of memory")
        self.fits.append((set(sample.rows.tolist()), set(watched.rows.tolist())))

    def answer(self, network, split):
        rows = np.flatnonzero(self.catalogue.splits == split)
        assert set(rows.tolist()) == self.fits[-1][1]
        return SimpleNamespace(scores=softmax(self.logits[rows] * self.config.train.l2, axis=1))


@pytest.fixture
def run(tmp_path):
    return FakeRun(tmp_path)


def make_judge(run, num_folds=3):
    return Judge(run, num_folds, TrialLog(run.workdir / "trials.json"))


def test_rows_are_judged_by_networks_that_have_not_seen_them_and_test_rows_by_none(run):
    make_judge(run)({})
    assert len(run.fits) == 3
    for learned, judged in run.fits:
        assert not learned & judged
        assert learned | judged == set(range(ROWS - NUM_TEST))
        assert {0, 3} <= learned or {0, 3} <= judged


def test_figures_are_those_of_the_pooled_answers(run):
    trial = make_judge(run)({"train.l2": 0.5})
    rows = np.arange(ROWS - NUM_TEST)
    scores = softmax(run.logits[rows] * 0.5, axis=1)
    truth, answers = run.class_ids[rows], scores.argmax(1)
    assert trial.figures == pytest.approx(
        {
            "accuracy": accuracy_score(truth, answers),
            "macro_f1": f1_score(truth, answers, average="macro"),
            "log_loss": log_loss(truth, scores),
        }
    )
    assert trial.settings == {"train.l2": 0.5}


def test_what_was_measured_is_not_measured_again(run):
    first = make_judge(run)({"train.l2": 0.5})
    again = make_judge(run)  # as another process would
    assert again({"train.l2": 0.5}) == first
    assert len(run.fits) == 3
    again({"train.l2": 0.25})
    assert len(run.fits) == 6
    # Other folds are another measure.
    make_judge(run, num_folds=2)({"train.l2": 0.5})
    assert len(run.fits) == 8


def test_a_failure_is_a_trial_with_its_error(run):
    judge = make_judge(run)
    failed = judge({"train.l2": 5})
    assert failed.error == "RuntimeError: out of memory"
    assert failed.figures == {}
    assert make_judge(run)({"train.l2": 5}) == failed
    refused = judge({"model.dropout": -1})
    assert "model.dropout must be" in refused.error
    with pytest.raises(ValueError, match=r"model\.dropout"):
        judge({"model.dropout": -2}, may_fail=False)


def test_views_are_made_for_the_trials_that_want_them(run):
    judge = make_judge(run)
    judge({"train.l2": 0.5})
    judge({"augment.views": 2})
    assert run.views == [2]


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"augment.cutmix": 1}, "augment.cutmix mixes pixels"),
        ({"train.ensemble": 3, "model.encoders.text.ngram.tuning": "full"}, "train.distill=true"),
        ({"train.objectives.contrastive.weight": 0.1}, "none is of kind 'image'"),
    ],
)
def test_a_trial_that_does_not_fit_fails_as_a_run_would(run, settings, message):
    assert message in make_judge(run)(settings).error
    assert not run.fits


def test_too_many_folds_are_refused(run):
    with pytest.raises(ValueError, match="At most 16 folds"):
        make_judge(run, num_folds=17)

"""With judges that take no time: KerasTuner's proposals are what is tested."""

from __future__ import annotations

import functools
import math
import time

import pytest

from trainer.search.space import Choice, Range
from trainer.search.trials import Trial
from trainer.search.tuner import search

SPACE = (
    Range("train.l2", 0.1, 10.0, log=True),
    Range("train.head_epochs", 5, 60),
    Choice("model.fusion", ("concat", "gated")),
)


def propose(folder, judge, known=(), space=SPACE, **options):
    """Returns the settings that a search proposes, in order."""
    proposed = []

    def noting(settings):
        proposed.append(settings)
        return judge(settings)

    given = {"method": "random", "objective": "accuracy", "num_trials": 8, "seed": 0}
    given |= {"deadline": math.inf, "folder": folder / "kt"}
    search(space, noting, known, **{**given, **options})
    return proposed


def agree(settings):
    """Is best at l2 = 1 with gated fusion."""
    distance = abs(math.log10(settings["train.l2"]))
    figure = 0.9 - 0.3 * distance - 0.2 * (settings["model.fusion"] == "concat")
    return Trial("", settings, {"accuracy": figure, "log_loss": 1 - figure})


def test_proposals_are_within_the_space_and_none_comes_twice(tmp_path):
    proposed = propose(tmp_path, agree, num_trials=30)
    assert len({repr(settings) for settings in proposed}) == 30
    for settings in proposed:
        assert 0.1 <= settings["train.l2"] <= 10
        assert settings["train.l2"] == float(f"{settings['train.l2']:.4g}")
        assert settings["train.head_epochs"] in range(5, 61)
    # Half of the values of a log scale are below its middle, on average.
    assert 8 <= sum(settings["train.l2"] < 1 for settings in proposed) <= 22
    assert {settings["model.fusion"] for settings in proposed} == {"concat", "gated"}


def test_a_search_goes_on_as_if_it_had_not_been_interrupted(tmp_path):
    whole = propose(tmp_path, agree, num_trials=9)
    # What a killed process left half written is not read.
    (tmp_path / "kt" / "oracle.json").write_text('{"ongoing_')
    assert propose(tmp_path, agree, whole[:5], num_trials=9) == whole
    assert propose(tmp_path, agree, num_trials=9, seed=1) != whole


def test_what_is_known_counts(tmp_path):
    whole = propose(tmp_path, agree, num_trials=6)
    assert propose(tmp_path, agree, whole, num_trials=4) == whole[:4]


@pytest.mark.parametrize("objective", ["accuracy", "log_loss"])
def test_bayesian_search_goes_where_trials_were_good(tmp_path, objective):
    known = propose(tmp_path, agree, num_trials=14)
    proposed = propose(
        tmp_path, agree, known, method="bayesian", objective=objective, num_trials=15
    )
    assert proposed[:14] == known
    assert proposed[14]["model.fusion"] == "gated"
    assert agree(proposed[14]).figures["accuracy"] > 0.75


@pytest.mark.parametrize("method", ["random", "bayesian"])
def test_a_failing_trial_does_not_end_the_search(tmp_path, method):
    def failing(settings):
        if settings["model.fusion"] == "concat":
            return Trial("", settings, error="ValueError: no")
        return agree(settings)

    assert len(propose(tmp_path, failing, method=method, num_trials=8)) == 8
    all_failing = propose(tmp_path, lambda settings: Trial("", settings, error="no"))
    assert len(all_failing) == 8


def test_a_small_space_is_exhausted(tmp_path):
    space = (Choice("model.fusion", ("concat", "gated", "cross_attention")),)
    judge = functools.partial(Trial, "", figures={"accuracy": 0.5})
    assert len(propose(tmp_path, judge, space=space, num_trials=50)) == 3


def test_no_trial_begins_after_the_deadline(tmp_path):
    assert propose(tmp_path, agree, deadline=time.monotonic() - 1) == []

"""A run with a taxonomy file: rules in the SavedModel are the rules outside of it."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

from trainer.config import Config
from trainer.data.rules import NO_CLASS_LEFT
from trainer.data.table import Table
from trainer.predictor import Predictor
from trainer.run import Run

CHEAP, LAMPS, SHIRTS, WATCHES = "worn > belts", "home > lamps", "worn > shirts", "worn > watches"
RULES = [
    {"class": LAMPS, "column": "text", "contains": ["lamp", "light", "bulb"]},
    {"class": "worn", "column": "text", "lacks": ["desk lamp", "light bulb"]},
    {"class": WATCHES, "column": "price", "above": 100},
    {"class": CHEAP, "column": "colour", "equals": ["brown"]},
    {"class": LAMPS, "column": "colour", "equals": ["Red", "White"]},
]


@pytest.fixture(scope="module")
def run(shop, run_arguments, call, tmp_path_factory):
    """Returns a run, trained on the train rows only, and exported so."""
    folder = tmp_path_factory.mktemp("taxonomy")
    classes = [{"class": name} for name in (CHEAP, LAMPS, SHIRTS, WATCHES)]
    taxonomy = folder / "taxonomy.json"
    taxonomy.write_text(json.dumps({"classes": classes, "rules": RULES}))
    settings = ["train.refit=never", "train.study=False", "data.columns.colour=category"]
    settings.append(f"data.taxonomy={taxonomy}")
    more = [part for setting in settings for part in ("--set", setting)]
    done = call(*run_arguments(shop, folder / "run", *more))
    assert done.code == 0, done.stderr
    assert f"1 classes of the taxonomy have no row, first {CHEAP!r}" in done.stderr
    config = Config.from_dict(json.loads((folder / "run" / "config.json").read_text()))
    run = Run(config, folder / "run", quiet=True)
    run.prepare()
    return run


@pytest.fixture(scope="module")
def answers(run):
    """Returns what the SavedModel says of all rows."""
    return Predictor(run.workdir).answer(run.catalogue.table)


def test_rules_are_the_same_in_and_outside_of_the_graph(run, answers):
    network = run.fit(run.sample("train"), run.sample("eval"))
    kept = 0
    for split in run.catalogue.split_names:
        outside = run.answer(network, split)
        inside = answers.take(run.catalogue.rows(split))
        np.testing.assert_allclose(inside.scores, outside.scores, atol=1e-5, rtol=0)
        np.testing.assert_array_equal(inside.scores == 0, outside.scores == 0)
        assert inside.status == outside.status
        kept += (outside.scores > 0).sum()
    assert 0 < kept < answers.scores.size


def test_what_rules_exclude_is_never_answered(run, answers):
    """Against the rules in Python, row by row."""
    frame = run.catalogue.table.frame.fillna("")
    names = answers.class_names
    for row, (_, cells) in enumerate(frame.iterrows()):
        text = f" {cells['title']} {cells['description']} ".lower()
        said = [
            f" {word} " in text for word in ("lamp", "light", "bulb", "desk lamp", "light bulb")
        ]
        excluded = set()
        if not any(said[:3]) or cells["colour"] == "blue":
            excluded.add(LAMPS)
        if any(said[3:]):
            excluded |= {CHEAP, SHIRTS, WATCHES}
        if cells["price"] and float(cells["price"]) <= 100:
            excluded.add(WATCHES)
        if cells["colour"] != "brown":
            excluded.add(CHEAP)
        if len(excluded) == len(names):
            assert NO_CLASS_LEFT in answers.status[row]
            excluded = set()
        assert excluded == {names[i] for i in np.flatnonzero(answers.scores[row] == 0)}, row
    assert sum(NO_CLASS_LEFT in status for status in answers.status) > 0


def test_without_what_a_rule_asks_for_it_excludes_nothing(run):
    table = run.catalogue.table
    frame = pd.DataFrame({"picture": table.frame["picture"]})
    answers = Predictor(run.workdir).answer(Table(frame, table.folder))
    assert (answers.scores > 0).all()

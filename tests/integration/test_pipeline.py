"""The whole pipeline on the shop: what it makes, what it does not do twice, what it refuses."""

from __future__ import annotations

import json
import shutil
import time
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from components.commands.workdir import SERVING
from components.evaluator.answer_split import answer_split
from components.evaluator.component import Parameters
from components.evaluator.executor import execute as evaluate
from components.evaluator.measured import find_measured
from components.history import read_runs
from components.metadata import FILE, Metadata
from trainer.artefact import ModelCard, find_export
from trainer.data.table import read_table
from trainer.export import export_saved_model
from trainer.predictor import Predictor
from trainer.saved_network import load_branches, load_network

ALWAYS = ["--param", "Evaluator.min_examples=1"]


@pytest.fixture(scope="module")
def table(shop, tmp_path_factory):
    """Returns a copy of the shop that may be changed."""
    folder = tmp_path_factory.mktemp("catalogue") / "shop"
    shutil.copytree(shop.parent, folder)
    return folder / shop.name


@pytest.fixture(scope="module")
def run_pipeline(table, run_arguments, call, tmp_path_factory):
    """Returns a function that runs the pipeline, and returns what became of its steps."""
    workdir = tmp_path_factory.mktemp("pipelines") / "shop"

    def run(*more):
        arguments = run_arguments(table, workdir, *ALWAYS, *more, command="run")
        done = call("pipeline", *arguments, folder=workdir)
        assert done.code == 0, done.stderr
        metadata = Metadata(workdir / "pipeline" / FILE)
        (last,) = read_runs(metadata, 1, False)
        found = {step.node: step for step in last.steps}
        metadata.close()
        return found

    run.workdir = workdir
    return run


@pytest.fixture(scope="module")
def first(run_pipeline):
    """Returns the steps of the first run."""
    return run_pipeline()


def outcomes(steps):
    return {name: str(step.outcome) for name, step in steps.items()}


def folder(steps, node, output):
    return steps[node].outputs[output].uri


def test_a_model_is_pushed(first, run_pipeline, trained, shop):
    assert set(outcomes(first).values()) == {"done"}
    serving = run_pipeline.workdir / SERVING
    assert [path.name for path in serving.iterdir() if path.name.isdigit()] == ["1"]
    # It is the model that `taxofuse run` makes of the same table, in one process.
    answers = Predictor(serving).answer(read_table(shop))
    expected = Predictor(trained.folder).answer(read_table(shop))
    assert answers.labels == expected.labels
    np.testing.assert_allclose(answers.scores, expected.scores, atol=1e-4)
    metrics = json.loads((folder(first, "ModelTrainer", "model_run") / "metrics.json").read_text())
    of_run = json.loads((trained.folder / "metrics.json").read_text())
    assert metrics["accuracy"] == of_run["accuracy"]
    assert metrics["log_loss"] == pytest.approx(of_run["log_loss"], abs=1e-4)


@pytest.mark.slow
def test_examples_teach_what_the_table_does(trained, shop, run_arguments, call, tmp_path):
    """`taxofuse train` reads the table itself."""
    done = call(*run_arguments(shop, tmp_path, command="train"))
    assert done.code == 0, done.stderr
    found, expected = (
        Predictor(folder).answer(read_table(shop)).scores for folder in (trained.folder, tmp_path)
    )
    np.testing.assert_allclose(found, expected, atol=1e-4)


def test_the_graph_of_transform_is_the_one_that_is_served(first, shop):
    """One preprocessing: what Transform has fitted equals what the export runs."""
    import tensorflow as tf

    from components.transform.executor import GRAPH
    from trainer.data.examples import read_examples, row_ids
    from trainer.preprocessing import preprocess, raw_values

    loaded = tf.saved_model.load(str(folder(first, "Transform", "transform_graph") / GRAPH))
    model = folder(first, "ModelTrainer", "model")
    card = ModelCard.load(find_export(find_measured(model)))
    # `model.keras` belongs to the export, which has learned from all rows; what is fitted to
    # the training rows alone is the same for pictures and prices.
    branches = [
        branch
        for branch in load_branches(load_network(model)[1], card.inputs)
        if not branch.encoder.adapts
    ]
    assert branches
    rows = read_table(shop)
    values = [example.values for example in read_examples(rows, card.inputs, row_ids(rows))]
    raw = raw_values(card.inputs, values)
    expected = preprocess(branches, raw)
    found = loaded.signatures["transform"](**raw)
    for name, tensor in expected.items():
        np.testing.assert_array_equal(found[name].numpy(), tensor.numpy(), err_msg=name)


def test_nothing_is_done_twice(first, run_pipeline):
    began = time.process_time()
    assert set(outcomes(run_pipeline()).values()) == {"cached"}
    assert time.process_time() - began < 5


def test_a_parameter_of_the_evaluator_reruns_what_follows_and_nothing_else(first, run_pipeline):
    steps = outcomes(run_pipeline("--param", "Evaluator.min_accuracy=0.99999"))
    assert {name for name, outcome in steps.items() if outcome != "cached"} <= {
        "Evaluator",
        "Pusher",
    }
    assert steps["Evaluator"] == "done"


@pytest.mark.slow
def test_a_picture_that_changes_reruns_what_depends_on_it(first, run_pipeline, table):
    frame = pd.read_csv(table, dtype=str)
    name = frame["picture"].dropna().iloc[0]
    Image.new("RGB", (48, 36), (1, 2, 3)).save(table.parent / name)
    steps = outcomes(run_pipeline())
    assert steps["ExampleGen"] == steps["Transform"] == steps["ModelTrainer"] == "done"


def spoil(model, target, change):
    """Writes a copy of a model whose card is changed: its graph then answers otherwise."""
    network, state = load_network(model)
    card = change(ModelCard.load(find_export(find_measured(model))))
    shutil.copytree(model, target, ignore=shutil.ignore_patterns("measured", "export"))
    branches = load_branches(state, card.inputs)
    export_saved_model(target / "export", branches, network, card, np.zeros(0, "S1"))
    return target


@pytest.fixture(scope="module")
def good(first):
    """Returns the model."""
    return folder(first, "ModelTrainer", "model")


@pytest.fixture(scope="module")
def bad(good, tmp_path_factory):
    """Returns a model whose classes are shuffled: it answers as surely as before, and wrongly."""
    return spoil(
        good,
        tmp_path_factory.mktemp("models") / "bad",
        lambda card: replace(card, class_names=(*card.class_names[1:], card.class_names[0])),
    )


@pytest.fixture
def judge(first, tmp_path):
    """Returns a function that runs the Evaluator; whether it blessed a model, and the figures."""

    def go(model, baseline=None, **parameters):
        made = tmp_path / str(len(list(tmp_path.iterdir())))
        outputs = {kind: made / kind for kind in ("evaluation", "blessing")}
        for path in (*outputs.values(), made / "scratch"):
            path.mkdir(parents=True)
        examples = folder(first, "ExampleGen", "examples")
        inputs = {"examples": examples, "model": model, "baseline": baseline}
        asked = Parameters(min_examples=1, **parameters)
        told = evaluate({**inputs, "earlier_examples": None}, outputs, asked, made / "scratch")
        blessed = (outputs["blessing"] / "BLESSED").is_file()
        assert blessed != (outputs["blessing"] / "NOT_BLESSED").is_file()
        assert blessed == told["blessing"]["blessed"]
        return blessed, json.loads((outputs["blessing"] / "blessing.json").read_text())

    return go


def test_a_sabotaged_model_is_refused_beside_the_one_in_use(good, bad, judge):
    blessed, told = judge(good, good)
    assert blessed, told
    rows = told["rows"]["candidate"]["num_examples"]
    assert rows > 5
    assert told["comparison"] == {"rows_compared": rows, "reasons": []}
    assert told["export"]["accuracy"] >= told["rows"]["candidate"]["accuracy"]
    blessed, told = judge(bad, good)
    assert not blessed
    fell = f"to {told['rows']['candidate']['accuracy']:.3f} on {rows} rows"
    reasons = told["rows"]["reasons"]
    assert any("The accuracy fell from" in one and fell in one for one in reasons)
    assert any("is not above" in one for one in reasons)


def test_a_judgement_loads_each_model_and_reads_the_rows_once(good, judge, monkeypatch):
    import tensorflow as tf

    from components import shard_answers
    from components.evaluator import executor

    done = []

    def count(name, function):
        return lambda *given: (done.append((name, str(given[0]))), function(*given))[1]

    monkeypatch.setattr(tf.saved_model, "load", count("load", tf.saved_model.load))
    monkeypatch.setattr(executor, "read_table", count("read", executor.read_table))
    shard_answers._load.cache_clear()
    judge(good, good)
    loaded = [path for name, path in done if name == "load"]
    assert sorted(loaded) == sorted(str(find_export(of)) for of in (good, find_measured(good)))
    assert len(done) == 3


def test_a_model_that_was_sabotaged_once_it_was_measured_is_refused(good, bad, judge, tmp_path):
    model = shutil.copytree(good, tmp_path / "model")
    shutil.rmtree(model / "export")
    shutil.copytree(bad / "export", model / "export")
    blessed, told = judge(model)
    assert not blessed
    assert told["rows"]["reasons"] == []
    assert told["export"]["reasons"][0].startswith("Trained again on all rows, the model has got")


def test_a_model_that_cannot_be_compared_is_refused(good, judge):
    """The model in use has learned from all rows of this split."""
    blessed, told = judge(good, good, split="train")
    assert not blessed
    assert told["rows"]["reasons"] == told["export"]["reasons"] == []
    assert told["comparison"]["rows_compared"] == told["rows"]["rows_compared"] == 0
    assert told["comparison"]["reasons"][0].startswith("0 rows are too few to compare it")


def test_a_model_that_takes_anothers_place_answers_for_itself(first, good, tmp_path):
    """A worker of a cluster has it in memory, and outlives the folder."""
    examples = folder(first, "ExampleGen", "examples")
    scores = {}
    for name, model in (("measured", find_measured(good)), ("export", good)):
        place = shutil.copytree(find_export(model), tmp_path / "model")
        scores[name] = answer_split(place, examples, "test", tmp_path / name).scores
        expected = answer_split(model, examples, "test", tmp_path / f"{name} itself").scores
        np.testing.assert_array_equal(scores[name], expected)
        shutil.rmtree(place)
    assert np.abs(scores["measured"] - scores["export"]).max() > 0.001

import dataclasses
import os

import numpy as np
import pandas as pd
import pytest
from scipy.special import softmax

from trainer import run as run_module
from trainer.config import AugmentConfig, Config, DataConfig, ModelConfig, TrainConfig
from trainer.data.table import Table
from trainer.inputs import InputSpec
from trainer.predictor import Predictor
from trainer.run import Run
from trainer.search.judge import Judge
from trainer.search.trials import TrialLog
from trainer.teacher import ask_teacher, load_teacher, soften
from trainer.wrong_labels import cross_judge

ROWS = 45
WORDS = {"lamp": "light bulb shade", "watch": "wrist dial strap", "shirt": "cotton sleeve slim"}
COLUMNS = {"title": "text", "price": "number"}
MODEL = ModelConfig({"text": {"ngram": {"dim": 8, "min_rows": 1}}, "number": {"piecewise": {}}})
PUPIL = ModelConfig({"text": {"ngram": {"dim": 4, "min_rows": 1}}, "number": {"piecewise": {}}})


@pytest.fixture(scope="module")
def frame():
    """Returns 45 products of three classes, nine of which have no label."""
    rng = np.random.default_rng(0)
    labels = [list(WORDS)[row % 3] for row in range(ROWS)]
    titles = [" ".join(rng.choice([*WORDS[x].split(), *"abcdef"], 5)) for x in labels]
    frame = pd.DataFrame({"title": titles, "price": rng.uniform(1, 9, ROWS), "label": labels})
    frame["split"] = np.where(np.arange(ROWS) % 5 == 0, "test", "train")
    frame.loc[frame.index % 5 == 4, ["label", "split"]] = ""
    return frame


@pytest.fixture(scope="module")
def build(frame, tmp_path_factory):
    """Returns a function that prepares a run on the table in a folder of its own."""

    def build(model=PUPIL, views=0, table=frame, say=None, **train):
        folder = tmp_path_factory.mktemp("run")
        table.to_csv(folder / "table.csv", index=False)
        path = str(folder / "table.csv")
        kinds = {name: kind for name, kind in COLUMNS.items() if name in table}
        data = DataConfig(path, ("label",), columns=kinds, split="split", unlabeled=path)
        train = TrainConfig(**{"head_epochs": 30, "batch_size": 16, **train})
        run = Run(Config(data, model, train, AugmentConfig(views)), folder, quiet=True)
        if say:
            run.say = say
        run.prepare()
        return run

    return build


@pytest.fixture(scope="module")
def teacher(build):
    """Returns the workdir of a run that was trained on the training rows alone."""
    run = build(MODEL, refit="never")
    run.train()
    run.finish()
    return run.workdir


@pytest.fixture
def calls(monkeypatch):
    """Collects what `fit_network` would be asked, in place of training."""
    calls = []

    @dataclasses.dataclass
    class Stub:
        vote_weights: np.ndarray

    def fit_network(inputs, num_classes, config, store, folder, sample, **options):
        calls.append((config.train, sample, options))
        return Stub(np.array([0.75, 0.25]))

    monkeypatch.setattr(run_module, "fit_network", fit_network)
    return calls


def test_a_teacher_answers_as_its_export_does(build, frame, teacher):
    run = build(views=1)
    card = load_teacher(teacher, run.catalogue.inputs, run.catalogue.class_names)
    scores = softmax(ask_teacher(teacher, card, run.store, run.workdir), axis=1)
    assert len(run.catalogue.unlabeled.frame) > 4
    assert len(scores) == run.store.num_rows
    for positions, table in (
        (run.store.positions(0), run.catalogue.table.frame),
        (run.store.positions(1), pd.DataFrame({"title": run.catalogue.class_names})),
        (run.store.positions(2), run.catalogue.unlabeled.frame),
    ):
        expected = Predictor(teacher).answer(Table(table, run.workdir)).scores
        np.testing.assert_allclose(scores[positions], expected, atol=1e-5)
    assert np.abs(scores[run.store.positions(3)] - scores[run.store.positions(0)]).max() > 1e-3


def test_all_rows_are_learned_as_the_teacher_answers_them(build, teacher, calls):
    run = build(views=2, teacher=str(teacher), temperature=3.0)
    run.fit(run.sample("train"))
    ((train, sample, _),) = calls
    names, unlabeled = run.rows.names.rows, run.rows.unlabeled
    known = run.sample("train").rows
    rows = np.concatenate([known, names, unlabeled, *(of[known] for of in run.rows.views)])
    np.testing.assert_array_equal(sample.rows, np.sort(rows))
    card = load_teacher(teacher, run.catalogue.inputs, run.catalogue.class_names)
    logits = ask_teacher(teacher, card, run.store, run.workdir)[sample.rows]
    np.testing.assert_allclose(sample.answers, softmax(logits / 3, axis=1), atol=1e-6)
    assert (train.label_smoothing, train.logit_adjustment) == (0, 0)
    weights = dict(zip(sample.rows, sample.weights, strict=True))
    assert weights[unlabeled[0]] == 1 and weights[known[0]] == 0.5


def test_answers_may_be_given(build, calls):
    run = build(temperature=1.0)
    taught = np.random.default_rng(0).normal(size=(run.store.num_rows, 3))
    run.fit(run.sample("train"), taught=taught, unlabeled=np.zeros(0, np.int64))
    ((_, sample, _),) = calls
    np.testing.assert_allclose(sample.answers, softmax(taught[sample.rows], axis=1), atol=1e-6)
    run.fit(run.sample("train"), taught=taught + 1e-3 * taught**2)
    assert calls[1][1].digest() != calls[0][1].digest()


def test_the_temperature_is_taken_back_where_no_rows_tell(build, teacher, calls):
    run = build(teacher=str(teacher), temperature=2.0)
    sample = run.sample("train")
    np.testing.assert_array_equal(run.fit(sample).vote_weights, [1.5, 0.5])
    np.testing.assert_array_equal(run.fit(sample, run.sample("test")).vote_weights, [0.75, 0.25])
    found = run.fit(sample, vote_weights=np.array([0.75, 0.25])).vote_weights
    np.testing.assert_array_equal(found, [0.75, 0.25])


def test_what_the_teacher_says_counts_and_not_the_label(build):
    run = build()
    sample = run.sample("train")
    others = np.roll(np.eye(3), 1, axis=1)  # lamps are shirts, shirts watches
    taught = np.zeros((run.store.num_rows, 3))
    taught[sample.rows] = 9 * others[sample.class_ids]
    taught[run.rows.names.rows] = 9 * others[run.rows.names.class_ids]
    network = run.fit(sample, taught=taught, unlabeled=np.zeros(0, np.int64))
    found = network.pool(run.vote(network, sample.rows)[0]).argmax(axis=1)
    assert np.mean(found == taught[sample.rows].argmax(axis=1)) > 0.7
    assert np.mean(found == sample.class_ids) < 0.2


def test_the_key_of_a_run_names_its_teacher(build, teacher):
    run = build(teacher=str(teacher))
    before = run.key
    assert before != build().key
    path = teacher / "model.keras"
    state = path.stat()
    os.utime(path, ns=(state.st_atime_ns, state.st_mtime_ns + 1))
    assert run.key != before
    os.utime(path, ns=(state.st_atime_ns, state.st_mtime_ns))
    assert run.key == before


def test_soft_targets():
    logits = np.log([[1.0, 4.0, 16.0]])
    np.testing.assert_allclose(soften(logits, 2.0), [[1 / 7, 2 / 7, 4 / 7]], rtol=1e-6)


def test_a_teacher_without_a_network_is_refused(build, tmp_path):
    with pytest.raises(FileNotFoundError, match=r"No model.keras in .* train.teacher must be"):
        build(teacher=str(tmp_path))


def test_a_teacher_of_other_classes_is_refused(build, frame, teacher):
    other = frame.replace({"label": {"lamp": "bulb"}})
    with pytest.raises(ValueError, match=r"Only in this run: \['bulb'\].*teacher: \['lamp'\]"):
        build(table=other, teacher=str(teacher))


def test_a_teacher_that_reads_more_is_refused(build, frame, teacher):
    with pytest.raises(ValueError, match=r"must read what this run reads.*\('price', 'number'"):
        build(table=frame.drop(columns="price"), teacher=str(teacher))


def test_a_teacher_may_read_less(teacher):
    inputs = (
        InputSpec("text", "text", ("title",)),
        InputSpec("price", "number", ("price",)),
        InputSpec("brand", "category", ("brand",)),
    )
    assert load_teacher(teacher, inputs, sorted(WORDS)).class_names == tuple(sorted(WORDS))


def test_a_teacher_that_knows_the_held_out_rows_is_told_of(build, teacher):
    said = []
    build(teacher=str(teacher), say=said.append)
    assert not any("flatter" in line for line in said)
    run = build(MODEL, refit="always")
    run.train()
    run.finish()
    build(teacher=str(run.workdir), say=said.append)
    assert any("has learned from 9 of the 9 rows held out here" in line for line in said)


def test_a_teacher_is_refused_where_rows_are_judged_in_turns(tmp_path):
    config = Config(DataConfig("t.csv", ("label",)), train=TrainConfig(teacher="runs/1"))
    run = Run(config, tmp_path)
    with pytest.raises(ValueError, match=r"give their labels away.*train\.teacher=runs/1"):
        cross_judge(run)
    with pytest.raises(ValueError, match=r"give their labels away.*train\.teacher=runs/1"):
        Judge(run, 3, TrialLog(tmp_path / "trials.json"))


def test_wrong_settings_are_refused():
    with pytest.raises(ValueError, match=r"train\.teacher needs train\.ensemble=1"):
        TrainConfig(teacher="runs/1", ensemble=2)
    assert TrainConfig(teacher="runs/1", temperature=2.0).temperature == 2

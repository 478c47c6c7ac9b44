import dataclasses
import functools

import keras
import numpy as np
import pandas as pd
import pytest
from scipy.special import softmax

from trainer import ensemble
from trainer.config import Config, DataConfig, ModelConfig, TrainConfig
from trainer.ensemble import check_ensemble, fit_ensemble
from trainer.features import array_batches
from trainer.input_pipeline import product_dataset
from trainer.inputs import InputSpec
from trainer.model import build_embedder
from trainer.pooling import prior_weights
from trainer.predictor import Predictor
from trainer.preprocessing import build_branches
from trainer.run import Run
from trainer.sample import Sample
from trainer.saved_network import load_network
from trainer.stage import run_stage

RNG = np.random.default_rng(0)
ROWS = 40
WORDS = {"lamp": "light bulb shade", "watch": "wrist dial strap", "shirt": "cotton sleeve slim"}
ENCODERS = {"text": {"ngram": {"dim": 8, "min_rows": 1}}, "number": {"piecewise": {}}}


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """Prepares a run of two members on a table of 40 rows."""
    labels = [list(WORDS)[row % 3] for row in range(ROWS)]
    titles = [" ".join(RNG.choice([*WORDS[x].split(), *"abcdef"], 5)) for x in labels]
    frame = pd.DataFrame({"title": titles, "price": RNG.uniform(1, 9, ROWS), "label": labels})
    frame["split"] = np.where(np.arange(ROWS) % 4 == 0, "eval", "train")
    config = Config(
        data=DataConfig(label=("label",), columns={"title": "text", "price": "number"}),
        model=ModelConfig(ENCODERS, dropout=0.5),
        train=TrainConfig(head_epochs=2, batch_size=16, seed=5, ensemble=2),
    )
    run = Run(config, tmp_path_factory.mktemp("ensemble"), source=frame, quiet=True)
    run.prepare()
    return run


@pytest.fixture(scope="module")
def network(run):
    return run.train()


def change(run, **options):
    """Prepares the same run with other options of training, and the same checkpoints."""
    train = dataclasses.replace(run.config.train, **options)
    changed = Run(dataclasses.replace(run.config, train=train), run.workdir, run.source, True)
    changed.prepare()
    return changed


@pytest.fixture(scope="module")
def votes(run, network):
    """Votes of each member, which is loaded, on all rows of the table."""
    rows = np.arange(ROWS)
    members = [change(run, seed=seed, ensemble=1).train() for seed in (5, 6)]
    return np.stack([member.vote(run.store, rows)[0] for member in members])


def test_votes_are_the_mean_of_those_of_the_members(run, network, votes):
    assert not np.allclose(*votes, atol=1e-3)
    found, _ = network.vote(run.store, np.arange(ROWS))
    np.testing.assert_allclose(found, votes.mean(axis=0), atol=1e-5)


def test_the_encoders_are_there_once_for_all_members(run, network):
    votes = network.voter.get_layer("votes").count_params()
    encoders = sum(encoder.count_params() for encoder in network.encoders.values())
    alone = sum(np.prod(w.shape) for w in network.cached_voter.get_layer("votes").weights) // 2
    assert votes == 2 * alone
    assert network.voter.count_params() == encoders + votes


def test_what_is_saved_and_exported_answers_like_the_mean_of_the_members(run, network, votes):
    logits = np.einsum("v,nvc->nc", network.vote_weights, votes.mean(axis=0))
    expected = softmax(logits, axis=1)
    np.testing.assert_allclose(network.pool(votes.mean(axis=0)), expected, atol=1e-6)
    run._export(network, ["train"])
    scorer, _ = load_network(run.workdir)
    ((source, rows),) = run.store.split(np.arange(ROWS))
    batches = list(product_dataset(source, network.branches, rows=rows))
    scores = np.concatenate([scorer(tensors) for tensors in batches])
    np.testing.assert_allclose(scores, expected, atol=1e-5)
    embedded, own = (
        build_embedder(network.branches, of)(batches[0]) for of in (scorer, network.scorer())
    )
    np.testing.assert_allclose(embedded, own, atol=1e-5)
    served = Predictor(run.workdir).answer(run.catalogue.take(rows)).scores
    np.testing.assert_allclose(served, expected, atol=1e-5)


@pytest.mark.slow
def test_what_is_distilled_is_one_network_taught_by_the_mean_of_the_members(run, network, votes):
    pupil = change(run, distill=True, temperature=2.0)
    sample = pupil.sample("train")
    learned = pupil.fit(sample, pupil.sample("eval"))
    assert learned.votes.count_params() == network.votes.count_params() / 2
    (path,) = (run.workdir / "cache" / "checkpoints").glob("*/answers.npy")
    known = np.isin((sample + run.rows.names).rows, sample.rows)
    logits = votes.mean(axis=0)[sample.rows]
    logits = np.einsum("v,nvc->nc", prior_weights(logits.shape[1]), logits)
    np.testing.assert_allclose(np.load(path)[known], softmax(logits / 2, axis=1), atol=1e-5)
    weights = learned.vote_weights
    again = pupil.fit(pupil.sample("train", "eval"), epochs=learned.epochs, vote_weights=weights)
    np.testing.assert_array_equal(again.vote_weights, weights)


@pytest.fixture
def calls(monkeypatch):
    """Collects what `fit_network` would be asked, in place of training."""
    calls = []

    @dataclasses.dataclass
    class Stub:
        seed: int
        vote_weights: np.ndarray
        reaches: tuple = ()

        def vote(self, store, rows):
            return np.full((len(rows), 2, 3), [1.0, 2.0, 4.0]) * (self.seed + 1), {}

    def fit_network(inputs, num_classes, config, store, folder, sample, watched, **options):
        calls.append((config.train, sample, options))
        return Stub(config.train.seed, np.array([0.25, config.train.seed]))

    monkeypatch.setattr(ensemble, "fit_network", fit_network)
    monkeypatch.setattr(ensemble, "checkpoint_key", lambda *_: "key")
    return calls


def distill(folder, watched=(), **options):
    train = TrainConfig(ensemble=3, distill=True, temperature=2.0, **options)
    sample = Sample.of(np.arange(4), [0, 1, 2, 0])
    rows = Sample.of(watched, watched)
    options = {"unlabeled": np.zeros(0), "labels": {}, "epochs": {"head": 7}}
    return fit_ensemble((), 3, Config(train=train), None, folder, sample, rows, **options)


def test_one_network_learns_what_all_members_answer(calls, tmp_path):
    distill(tmp_path)
    assert [train.seed for train, _, _ in calls] == [0, 1, 2, 0]
    assert all(train.ensemble == 1 and not train.distill for train, _, _ in calls)
    assert all(options["epochs"] == {"head": 7} for _, _, options in calls)
    assert [sample.answers is None for _, sample, _ in calls] == [True, True, True, False]
    train, sample, _ = calls[-1]
    # Logits times the mean of 1, 2 and 3; the prior weights of the votes sum up to 1.
    expected = softmax(np.array([1.0, 2.0, 4.0]) * 2 / 2.0)
    np.testing.assert_allclose(sample.answers, np.tile(expected, (4, 1)), rtol=1e-5)
    assert (train.label_smoothing, train.logit_adjustment) == (0, 0)


def test_the_temperature_is_taken_back_where_no_rows_tell(calls, tmp_path):
    np.testing.assert_array_equal(distill(tmp_path / "a").vote_weights, [0.5, 0.0])
    np.testing.assert_array_equal(distill(tmp_path / "b", watched=[9]).vote_weights, [0.25, 0.0])


def test_what_was_answered_is_kept_for_a_resumed_run(calls, tmp_path):
    distill(tmp_path)
    distill(tmp_path)
    assert len(calls) == 5, "the members were trained again"
    assert calls[3][1].digest() == calls[4][1].digest()


def test_bootstrap_reweighs_the_rows_of_each_member(calls, tmp_path):
    distill(tmp_path, bootstrap=True)
    weights = [sample.weights for _, sample, _ in calls]
    assert all((of > 0).all() for of in weights)
    assert not np.allclose(weights[0], weights[1])
    np.testing.assert_array_equal(weights[-1], 1)
    large = ensemble._reweigh(Sample.of(np.arange(9000), np.zeros(9000)), 1).weights
    assert large.mean() == pytest.approx(large.std(), abs=0.05) == pytest.approx(1, abs=0.05)


def test_what_learns_from_the_answers_of_a_teacher_answers_like_it(tmp_path):
    """A linear model can become the same as its linear teacher."""
    inputs = RNG.normal(size=(64, 3)).astype(np.float32)
    answers = softmax(inputs @ RNG.normal(size=(3, 4)), axis=1).astype(np.float32)
    sample = Sample(np.arange(64), answers.argmax(axis=1), np.ones(64, np.float32), answers)
    keras.utils.set_random_seed(0)
    x = keras.Input([3], name="x")
    model = keras.Model({"x": x}, keras.layers.Reshape((1, 4))(keras.layers.Dense(4)(x)))
    result = run_stage(
        model,
        functools.partial(array_batches, {"x": inputs}, sample, 64, seed=0),
        name="head",
        steps=1,
        epochs=200,
        learning_rate=0.1,
        config=TrainConfig(label_smoothing=0.0),
        folder=tmp_path,
    )
    found = softmax(model.predict({"x": inputs}, verbose=0)[:, 0], axis=1)
    np.testing.assert_allclose(found, answers, atol=0.01)
    assert result.history[-1]["accuracy"] == 1


def test_members_with_encoders_of_their_own_are_refused_unless_distilled():
    encoders = {"text": {"ngram": {"tuning": "full"}, "tiny_text": {}}}
    branches = build_branches((InputSpec("text", "text", ("title",)),), encoders)
    train = TrainConfig(ensemble=2)
    with pytest.raises(ValueError, match=r"\['text_ngram', 'text_tiny_text'\].*distill=true.*=2"):
        check_ensemble(branches, Config(train=train))
    check_ensemble(branches, Config(train=dataclasses.replace(train, distill=True)))
    check_ensemble(branches[:1], Config(train=dataclasses.replace(train, encoder_epochs=0)))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"ensemble": 0}, r"train\.ensemble must be at least 1"),
        ({"distill": True}, r"train\.distill needs train\.ensemble=2 or more"),
        ({"bootstrap": True}, r"train\.bootstrap needs train\.ensemble=2 or more"),
        ({"temperature": 0.0}, r"train\.temperature must be a number above 0"),
        ({"temperature": 2.0}, r"train\.temperature needs train\.distill=true or train\.teacher"),
    ],
)
def test_wrong_settings_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        TrainConfig(**options)

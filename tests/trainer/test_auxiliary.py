"""What every registered objective must do; a new file in trainer/objectives is tested unasked."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from trainer.auxiliary import add_outputs, add_targets, build_objectives, check_objectives
from trainer.config import Config, ModelConfig, TrainConfig
from trainer.inputs import InputSpec
from trainer.model import build_votes
from trainer.preprocessing import build_branches, present_name
from trainer.registry import OBJECTIVES
from trainer.sample import Sample

INPUTS = (InputSpec("photo", "image", ("photo",)), InputSpec("text", "text", ("title",)))
ENCODERS = {"image": {"tiny_image": {"tuning": "frozen"}}, "text": {"ngram": {}}}
WIDTHS = {"photo_tiny_image": 4, "text_ngram": 3}
GATED = ModelConfig(ENCODERS, fusion="gated", fusion_options={"projection_dim": 5})
# Options that have no default.
OPTIONS = {"labels": {"columns": ["brand"], "min_rows": 1}}
ROWS = 6
RNG = np.random.default_rng(0)
SAMPLE = Sample.of(np.arange(ROWS), [0, 1, 0, 1, 0, 1])
VALUES = {"brand": np.array(["a", "b", "a", "", "b", "c"])}


def make(name, weight=0.5):
    (objective,) = build_objectives({name: {"weight": weight, **OPTIONS.get(name, {})}})
    objective.adapt({column: VALUES[column] for column in objective.columns})
    return objective


@pytest.fixture
def branches():
    return build_branches(INPUTS, ENCODERS)


@pytest.fixture
def votes(branches):
    keras.utils.set_random_seed(0)
    return build_votes(branches, WIDTHS, 2, GATED)


def make_inputs(present=True):
    values = {n: RNG.normal(size=(ROWS, w)).astype(np.float32) for n, w in WIDTHS.items()}
    return values | {present_name(spec.name): np.full(ROWS, present) for spec in INPUTS}


@pytest.mark.parametrize("name", OBJECTIVES.names())
class TestEveryObjective:
    def loss(self, objective, model, values):
        targets = add_targets(SAMPLE, [objective], VALUES).targets()
        outputs = model(values)
        assert set(outputs) == {"votes", *objective.losses()} == set(targets)
        return sum(loss(targets[n], outputs[n]) for n, loss in objective.losses().items())

    def test_teaches_the_fusion_and_leaves_the_votes_as_they_are(self, name, votes, branches):
        objective, values = make(name), make_inputs()
        model = add_outputs(votes, branches, [objective])
        np.testing.assert_array_equal(model(values)["votes"], votes(values))
        learning = [w.value for w in votes.get_layer("fusion").trainable_weights]
        with tf.GradientTape() as tape:
            loss = self.loss(objective, model, values)
        gradients = [g for g in tape.gradient(loss, learning) if g is not None]
        assert float(loss) > 0
        assert sum(float(tf.norm(gradient)) for gradient in gradients) > 0

    def test_absent_inputs_never_matter(self, name, votes, branches):
        objective, values = make(name), make_inputs()
        model = add_outputs(votes, branches, [objective])
        gone = np.arange(ROWS) % 3 == 0
        values[present_name("photo")] = ~gone
        expected = self.loss(objective, model, values)
        values["photo_tiny_image"] = np.where(gone[:, None], np.nan, values["photo_tiny_image"])
        assert float(self.loss(objective, model, values)) == float(expected)

    def test_rows_without_anything_give_finite_losses_and_slopes(self, name, votes, branches):
        objective = make(name)
        model = add_outputs(votes, branches, [objective])
        with tf.GradientTape() as tape:
            loss = self.loss(objective, model, make_inputs(present=False))
        weights = [w.value for w in model.trainable_weights]
        for gradient in tape.gradient(loss, weights):
            assert gradient is None or np.isfinite(gradient).all()

    def test_is_refused_where_it_would_be_without_effect(self, name, branches):
        with pytest.raises(ValueError, match=r"without effect.*model\.fusion=gated"):
            check_objectives(branches, [make(name)], Config(model=ModelConfig(ENCODERS)))
        check_objectives(branches, [make(name)], Config(model=GATED))

    def test_is_allowed_where_encoders_learn(self, name):
        encoders = {**ENCODERS, "text": {"ngram": {"tuning": "full"}}}
        config = Config(model=ModelConfig(encoders))
        check_objectives(build_branches(INPUTS, encoders), [make(name)], config)
        never = Config(model=ModelConfig(encoders), train=TrainConfig(encoder_epochs=0))
        with pytest.raises(ValueError, match="without effect"):
            check_objectives(build_branches(INPUTS, encoders), [make(name)], never)

    @pytest.mark.parametrize("weight", [0, -1, float("nan")])
    def test_needs_a_weight(self, name, weight):
        with pytest.raises(ValueError, match=r"`weight`.*above 0"):
            make(name, weight)


def test_without_objectives_nothing_changes(votes, branches):
    assert add_outputs(votes, branches, ()) is votes
    assert add_targets(SAMPLE, (), {}) is SAMPLE


def test_own_answers_of_a_sample_are_those_of_the_votes():
    shares = np.eye(2, dtype=np.float32)[SAMPLE.class_ids]
    taught = Sample(SAMPLE.rows, SAMPLE.class_ids, SAMPLE.weights, shares)
    targets = add_targets(taught, [make("supervised_contrastive")], {}).targets()
    assert targets["votes"] is not None
    np.testing.assert_array_equal(targets["votes"], shares)
    np.testing.assert_array_equal(targets["supervised_contrastive"], SAMPLE.class_ids)


def test_contrastive_needs_two_modalities():
    inputs = (INPUTS[1], InputSpec("price", "number", ("price",)))
    branches = build_branches(inputs, {**ENCODERS, "number": {"piecewise": {}}})
    with pytest.raises(ValueError, match=r"none is of kind 'image'.*kinds \['number', 'text'\]"):
        check_objectives(branches, [make("contrastive")], Config(model=GATED))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"contrastve": {}}, r"'contrastve'\. Did you mean 'contrastive'\?"),
        ({"contrastive": {"wight": 1}}, r"'wight'\. Did you mean 'weight'\?"),
        ({"labels": {"weight": 1}}, r"train\.objectives\.labels needs a list of columns"),
        ({"contrastive": {"weight": 1, "modalities": ["text"]}}, r"must be two"),
    ],
)
def test_wrong_options_are_answered_with_right_ones(options, message):
    with pytest.raises(ValueError, match=message):
        build_objectives(options)

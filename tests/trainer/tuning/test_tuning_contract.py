"""What every registered tuning method must do; a new file in trainer/tuning is tested unasked."""

from dataclasses import dataclass
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf

from trainer.encoders.bert import BertEncoder
from trainer.encoders.image_backbone import ImageBackboneEncoder
from trainer.optimizer import TunedAdamW
from trainer.registry import TUNING
from trainer.weights.adapter_file import AdapterCard

TEXTS = [b"red wireless headphones", b"wire", b"head phones red red", b""]
TRAINED = [name for name in TUNING.names() if TUNING.get(name).trains]
STEPS = 3
# What fits into a BERT of two blocks of 8.
OPTIONS = {
    "adalora": {"rank": 1, "first_rank": 2, "warmup": 0.4},
    "lora": {"rank": 2},
    "partial": {"blocks": 1},
}


@dataclass
class Trained:
    """What a method made of the same small BERT."""

    name: str
    encoder: BertEncoder
    model: keras.Model
    adapter: Path
    trained: list[keras.Variable]
    changed: set[int]  # by id
    at_first: np.ndarray
    at_last: np.ndarray


def make(preset, tuning, **more):
    """Returns an encoder and its Keras half; the base weights are always the same."""
    keras.utils.set_random_seed(1)
    options = {"tuning_options": OPTIONS.get(tuning, {}), **more}
    encoder = BertEncoder("text", tuning, weights=preset, max_tokens=8, **options)
    return encoder, encoder.build()


def embed(encoder, model):
    return model(encoder.preprocess(tf.constant(TEXTS))).numpy()


def train(encoder, model):
    """Pulls all embeddings to one side, in steps too few to be worth a graph."""
    tensors, weights = encoder.preprocess(tf.constant(TEXTS)), model.trainable_weights
    if not weights:
        return
    # As if the method's rate were high, so that a few steps show.
    peak = encoder.method.learning_rate
    optimizer = TunedAdamW(0.01, peak=peak, tuned=[(encoder.method, model)], num_steps=STEPS)
    optimizer.build(weights)
    for _ in range(STEPS):
        with tf.GradientTape() as tape:
            loss = tf.reduce_sum(model(tensors, training=True)[:, :3])
        optimizer.apply(tape.gradient(loss, weights), weights)


@pytest.fixture(scope="module", params=TUNING.names())
def done(request, tiny_bert, tmp_path_factory):
    """Trains a small BERT by each method."""
    encoder, model = make(tiny_bert, request.param)
    trained, at_first = model.trainable_weights, embed(encoder, model)
    before = [weight.numpy() for weight in model.weights]
    train(encoder, model)
    pairs = zip(model.weights, before, strict=True)
    adapter = tmp_path_factory.mktemp("adapters") / "text.safetensors"
    if encoder.method.trains:
        encoder.write_adapter(adapter, model)
    return Trained(
        request.param,
        encoder,
        model,
        adapter,
        trained,
        {id(weight) for weight, old in pairs if (weight.numpy() != old).any()},
        at_first,
        embed(encoder, model),
    )


@pytest.fixture(scope="module")
def merged(done):
    done.encoder.method.merge(done.model)
    return done


def test_needs_no_options_and_refuses_unknown_ones():
    for name in TUNING.names():
        assert isinstance(TUNING.make(name, {}).part, str)
        with pytest.raises(ValueError, match=f"option of tuning method '{name}'"):
            TUNING.make(name, {"ranks": 4})


@pytest.mark.parametrize("name", TRAINED)
def test_refuses_a_learning_rate_of_nothing(name):
    with pytest.raises(ValueError, match="`learning_rate` must be a number above 0"):
        TUNING.make(name, {"learning_rate": 0})


def test_starts_from_the_pretrained_embedding(done, tiny_bert):
    expected = embed(*make(tiny_bert, "frozen"))
    # A prefix takes some attention from the first step on.
    np.testing.assert_allclose(done.at_first, expected, atol=0.1 if done.name == "prefix" else 1e-6)


def test_changes_what_it_trains_and_nothing_else(done):
    assert done.changed <= {id(weight) for weight in done.trained}
    still = [weight.path for weight in done.trained if id(weight) not in done.changed]
    # One bias for all keys changes no softmax, and not every kernel has a share of the budget.
    assert [path for path in still if not path.endswith(("key/bias", "singular_values"))] == []
    moved = np.abs(done.at_last - done.at_first).max()
    assert moved > 1e-5 if done.encoder.method.trains else moved == 0


def test_an_adapter_file_brings_back_what_was_trained(done, tiny_bert):
    if not done.encoder.method.trains:
        return
    card = AdapterCard.load(done.adapter)
    assert card.method == done.name
    assert TUNING.make(done.name, card.options).options == done.encoder.method.options
    again = make(tiny_bert, done.name, adapter=str(done.adapter))
    np.testing.assert_allclose(embed(*again), done.at_last, atol=1e-5)
    assert len(again[1].trainable_weights) == len(done.trained)


def test_merging_leaves_the_outputs(merged):
    np.testing.assert_allclose(embed(merged.encoder, merged.model), merged.at_last, atol=1e-5)


def test_saves_and_loads_when_merged(merged, tmp_path):
    merged.model.save(tmp_path / "text.keras")
    loaded = keras.models.load_model(tmp_path / "text.keras")
    np.testing.assert_allclose(embed(merged.encoder, loaded), merged.at_last, atol=1e-5)


def test_exports_when_merged(merged, tmp_path):
    module = tf.Module()
    module.weights = [weight.value for weight in merged.model.variables]
    tensors = merged.encoder.preprocess(tf.constant(TEXTS))
    signature = tf.nest.map_structure(lambda of: tf.TensorSpec([None, 8], of.dtype), tensors)
    module.embed = tf.function(merged.model, input_signature=[signature])
    tf.saved_model.save(module, str(tmp_path))
    served = tf.saved_model.load(str(tmp_path))
    np.testing.assert_allclose(served.embed(tensors), merged.at_last, atol=1e-5)


@pytest.mark.parametrize("name", TRAINED)
def test_pictures_are_tuned_or_refused(name):
    part = TUNING.get(name).part
    if part not in ImageBackboneEncoder.parts:
        with pytest.raises(ValueError, match=f"Encoder 'picture' has no {part} for '{name}'"):
            ImageBackboneEncoder("picture", name)
        return
    keras.utils.set_random_seed(0)
    model, method = small_convnet(), TUNING.make(name, {})
    method.apply(model, ImageBackboneEncoder.parts[part])
    rng = np.random.default_rng(0)
    pixels = rng.normal(size=(2, 8, 8, 3)).astype(np.float32)
    before, total = model(pixels).numpy(), sum(of.numpy().size for of in small_convnet().weights)
    assert 0 < sum(of.numpy().size for of in model.trainable_weights) < 2 * total
    for weight in model.trainable_weights:
        weight.assign_add(rng.normal(size=weight.shape))
    expected = model(pixels).numpy()
    assert np.abs(expected - before).max() > 0.01
    method.merge(model)
    np.testing.assert_allclose(model(pixels), expected, rtol=1e-4, atol=1e-4)


def small_convnet():
    """Three blocks, named as KerasHub names those of EfficientNet."""
    layers = [keras.Input([8, 8, 3])]
    for name in ("block1a", "block1b", "block2a"):
        layers += [
            keras.layers.Conv2D(8, 1, use_bias=False, name=f"{name}_expand_conv"),
            keras.layers.BatchNormalization(name=f"{name}_bn"),
            keras.layers.DepthwiseConv2D(3, padding="same", name=f"{name}_deep"),
        ]
    return keras.Sequential(layers, name="picture")

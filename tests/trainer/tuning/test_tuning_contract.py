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
STEPS = 6
# What fits into a BERT of two blocks of 8.
OPTIONS = {
    "adalora": {"rank": 1, "first_rank": 2},
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
    """Pulls all embeddings to one side."""
    tuned = [(encoder.method, model)] if encoder.method.trains else []
    rate = encoder.method.learning_rate if tuned else 1.0
    # As if the method's rate were high, so that a few steps show.
    optimizer = TunedAdamW(0.01, peak=rate, tuned=tuned, num_steps=STEPS)
    head = keras.layers.Dense(1, kernel_initializer="ones", name="head")
    whole = keras.Model(model.input, head(model.output))
    whole.compile(optimizer=optimizer, loss="mse", jit_compile=False)
    tensors = encoder.preprocess(tf.constant(TEXTS))
    whole.fit(tensors, np.ones((len(TEXTS), 1)), epochs=STEPS, verbose=0)


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
    # The same bias of all keys changes no softmax.
    assert [path for path in still if not path.endswith("key/bias")] == []
    moved = np.abs(done.at_last - done.at_first).max()
    assert moved > 1e-5 if done.encoder.method.trains else moved == 0


def test_an_adapter_file_brings_back_what_was_trained(done, tiny_bert):
    if not done.encoder.method.trains:
        return
    assert AdapterCard.load(done.adapter).method == done.name
    again = make(tiny_bert, done.name, adapter=str(done.adapter))
    np.testing.assert_allclose(embed(*again), done.at_last, atol=1e-5)
    assert len(again[1].trainable_weights) == len(done.trained)
    frozen = make(tiny_bert, "frozen", adapter=str(done.adapter))
    np.testing.assert_allclose(embed(*frozen), done.at_last, atol=1e-5)
    assert frozen[1].trainable_weights == []
    with pytest.raises(ValueError, match="only the weights that it was trained on"):
        make(tiny_bert, "frozen", adapter=str(done.adapter), pooling="cls")


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
    options = {"weights": "random", "image_size": 32, "tuning": name}
    if TUNING.get(name).part not in ImageBackboneEncoder.parts:
        with pytest.raises(ValueError, match=f"Encoder 'picture' has no .* for '{name}' to train"):
            ImageBackboneEncoder("picture", **options)
        return
    keras.utils.set_random_seed(0)
    encoder = ImageBackboneEncoder("picture", **options)
    model = encoder.build()
    rng = np.random.default_rng(0)
    pixels = rng.integers(0, 256, (2, 32, 32, 3), np.uint8)
    before = model(pixels).numpy()
    for weight in model.trainable_weights:
        weight.assign_add(0.01 * rng.normal(size=weight.shape))
    expected = model(pixels).numpy()
    assert np.abs(expected - before).max() > 1e-4
    encoder.method.merge(model)
    np.testing.assert_allclose(model(pixels), expected, atol=1e-5)

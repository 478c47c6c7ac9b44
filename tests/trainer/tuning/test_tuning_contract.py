"""What every registered tuning method must do; a new file in trainer/tuning is tested unasked."""

import json

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


@pytest.fixture(params=TUNING.names())
def tuning(request):
    return request.param


def make(tiny_bert, tuning, **more):
    """Returns an encoder and its Keras half; the base weights are always the same."""
    keras.utils.set_random_seed(1)
    options = {"tuning_options": OPTIONS.get(tuning, {}), **more}
    encoder = BertEncoder("text", tuning, weights=tiny_bert, max_tokens=8, **options)
    return encoder, encoder.build()


def embed(encoder, model):
    return model(encoder.preprocess(tf.constant(TEXTS))).numpy()


def train(encoder, model, steps=STEPS):
    """Pulls all embeddings to one side, fast enough to see."""
    schedule = keras.optimizers.schedules.CosineDecay(0.01, steps)
    tuned = [(encoder.method, model)] if encoder.method.trains else []
    optimizer = TunedAdamW(schedule, peak=0.01, tuned=tuned, num_steps=steps)
    optimizer._factors_by_id = dict.fromkeys(optimizer._factors_by_id, 1.0)
    outputs = keras.layers.Dense(1, kernel_initializer="ones", name="head")(model.output)
    whole = keras.Model(model.input, outputs)
    whole.compile(optimizer=optimizer, loss="mse", jit_compile=False)
    tensors = encoder.preprocess(tf.constant(TEXTS))
    whole.fit(tensors, np.ones((len(TEXTS), 1)), epochs=steps, verbose=0)


def values(variables):
    return {id(of): of.numpy() for of in variables}


def test_needs_no_options(tuning):
    method = TUNING.make(tuning, {})
    assert isinstance(method.part, str)
    assert not method.trains or method.learning_rate > 0


def test_refuses_unknown_options(tuning):
    with pytest.raises(ValueError, match=f"option of tuning method '{tuning}'"):
        TUNING.make(tuning, {"ranks": 4})


@pytest.mark.parametrize("name", TRAINED)
def test_refuses_a_learning_rate_of_nothing(name):
    with pytest.raises(ValueError, match="`learning_rate` must be a number above 0"):
        TUNING.make(name, {"learning_rate": 0})


def test_starts_from_the_pretrained_embedding(tiny_bert, tuning):
    expected = embed(*make(tiny_bert, "frozen"))
    tolerance = 0.5 if tuning == "prefix" else 1e-6
    np.testing.assert_allclose(embed(*make(tiny_bert, tuning)), expected, atol=tolerance)


def test_changes_what_it_trains_and_nothing_else(tiny_bert, tuning):
    encoder, model = make(tiny_bert, tuning)
    trained, fixed = model.trainable_weights, model.non_trainable_weights
    before, old = embed(encoder, model), values(model.weights)
    train(encoder, model)
    for weight in fixed:
        np.testing.assert_array_equal(weight, old[id(weight)], err_msg=weight.path)
    for weight in trained:
        # The words of other texts, and what a softmax does not see: a bias of all keys.
        if not any(part in weight.path for part in ("embedding", "key/bias")):
            assert np.abs(weight - old[id(weight)]).max() > 1e-7, weight.path
    moved = np.abs(embed(encoder, model) - before).max()
    assert moved > 1e-5 if encoder.method.trains else moved == 0


def test_merging_leaves_the_outputs(tiny_bert, tuning):
    encoder, model = make(tiny_bert, tuning)
    train(encoder, model)
    expected = embed(encoder, model)
    encoder.method.merge(model)
    np.testing.assert_allclose(embed(encoder, model), expected, atol=1e-5)


def test_saves_and_loads_when_merged(tiny_bert, tuning, tmp_path):
    encoder, model = make(tiny_bert, tuning)
    train(encoder, model)
    expected = embed(encoder, model)
    encoder.method.merge(model)
    model.save(tmp_path / "text.keras")
    loaded = keras.models.load_model(tmp_path / "text.keras")
    np.testing.assert_allclose(embed(encoder, loaded), expected, atol=1e-5)


def test_exports_when_merged(tiny_bert, tuning, tmp_path):
    encoder, model = make(tiny_bert, tuning)
    train(encoder, model)
    encoder.method.merge(model)
    model.export(tmp_path, verbose=False)
    served = tf.saved_model.load(str(tmp_path))
    tensors = encoder.preprocess(tf.constant(TEXTS))
    np.testing.assert_allclose(served.serve(tensors), embed(encoder, model), atol=1e-5)


@pytest.mark.parametrize("name", TRAINED)
def test_an_adapter_file_brings_back_what_was_trained(tiny_bert, name, tmp_path):
    path = tmp_path / "text.safetensors"
    encoder, model = make(tiny_bert, name)
    train(encoder, model)
    expected = embed(encoder, model)
    encoder.write_adapter(path, model)
    assert AdapterCard.load(path).method == name
    # To go on with, and as a frozen encoder.
    again = make(tiny_bert, name, adapter=str(path))
    np.testing.assert_allclose(embed(*again), expected, atol=1e-5)
    assert len(again[1].trainable_weights) == len(model.trainable_weights)
    frozen = make(tiny_bert, "frozen", adapter=str(path))
    np.testing.assert_allclose(embed(*frozen), expected, atol=1e-5)
    assert frozen[1].trainable_weights == []


@pytest.mark.parametrize("name", TRAINED)
def test_an_adapter_is_refused_on_another_base(tiny_bert, name, tmp_path):
    path = tmp_path / "text.safetensors"
    encoder, model = make(tiny_bert, name)
    encoder.write_adapter(path, model)
    with pytest.raises(ValueError, match="only the weights that it was trained on"):
        make(tiny_bert, "frozen", adapter=str(path), pooling="cls")


def test_options_survive_json(tuning):
    options = OPTIONS.get(tuning, {})
    assert vars(TUNING.make(tuning, json.loads(json.dumps(options)))) == vars(
        TUNING.make(tuning, options)
    )


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
    pixels = np.random.default_rng(0).integers(0, 256, (2, 32, 32, 3), np.uint8)
    for weight in model.trainable_weights:
        weight.assign_add(0.01 * np.sign(np.random.default_rng(1).normal(size=weight.shape)))
    expected = model(pixels).numpy()
    encoder.method.merge(model)
    np.testing.assert_allclose(model(pixels), expected, atol=1e-5)

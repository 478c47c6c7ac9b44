"""Every registered quantizer, by what is asked of all."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from trainer.certificate import DeviceNetwork
from trainer.device_graph import convert
from trainer.layers.weighted_bag import WeightedBag
from trainer.registry import QUANTIZERS

layers = keras.layers
RNG = np.random.default_rng(0)
ROWS = {
    "pixels": RNG.integers(0, 256, (12, 10, 10, 3)).astype(np.uint8),
    "term_ids": RNG.integers(0, 40, (12, 5)).astype(np.int32),
    "weights": RNG.uniform(0, 1, (12, 5)).astype(np.float32),
    "present": np.arange(12) % 4 > 0,
}


def build() -> keras.Model:
    """Returns a network with a picture, a bag of terms of any number, and a flag."""
    keras.utils.set_random_seed(0)
    inputs = {
        "pixels": keras.Input((10, 10, 3), dtype="uint8", name="pixels"),
        "term_ids": keras.Input((None,), dtype="int32", name="term_ids"),
        "weights": keras.Input((None,), name="weights"),
        "present": keras.Input((), dtype="bool", name="present"),
    }
    x = layers.Rescaling(1 / 127.5, -1.0)(inputs["pixels"])
    x = layers.Conv2D(8, 3, use_bias=False)(x)
    x = layers.BatchNormalization()(x)
    x = layers.GlobalAveragePooling2D()(layers.ReLU()(x))
    words = WeightedBag(40, 6, name="words")
    both = layers.Concatenate()([x, words(inputs["term_ids"], inputs["weights"])])
    both = keras.ops.where(inputs["present"][:, None], both, keras.ops.zeros_like(both))
    logits = layers.Dense(4, name="head")(layers.Dense(16, "gelu")(both))
    words.vectors.assign(np.random.default_rng(1).normal(size=(40, 6)))
    outputs = {"logits": logits, "scores": layers.Softmax()(logits)}
    return keras.Model(inputs, outputs, name="device")


@pytest.mark.parametrize("name", QUANTIZERS.names())
def test_the_file_answers_like_the_network(name: str) -> None:
    network, quantizer = build(), QUANTIZERS.make(name, {})
    expected = network(ROWS, training=False)["logits"].numpy()
    quantizer.prepare(network, [ROWS] if quantizer.calibrates else [])
    prepared = network(ROWS, training=False)["logits"].numpy()
    content = convert(network, quantizer)
    device = DeviceNetwork(content)
    rows = [{key: of[at : at + 1] for key, of in ROWS.items()} for at in range(12)]
    found = np.array([device(row) for row in rows])
    spread = np.ptp(expected)
    assert np.abs(found - expected).max() < 0.05 * spread
    assert np.abs(found - prepared).max() < 0.03 * spread
    assert quantizer.calibrates == bool(np.abs(prepared - expected).max() > 0)
    # Texts of other lengths, and one without a known word.
    for terms in (9, 0):
        longer = {**rows[1], "term_ids": np.zeros((1, terms), np.int32)}
        longer["weights"] = np.full((1, terms), 0.1, np.float32)
        assert np.isfinite(device(longer)).all()
    names = {of["operator"] for of in device.count_operators()}
    assert {"CONV_2D"} <= names and not any(of.startswith("Flex") for of in names)


def test_the_signature_names_inputs_and_outputs() -> None:
    from ai_edge_litert.interpreter import Interpreter

    quantizer = QUANTIZERS.make("float32", {})
    interpreter = Interpreter(model_content=convert(build(), quantizer, batch_size=3))
    run = interpreter.get_signature_runner("serving_default")
    found = run(**{key: of[:3] for key, of in ROWS.items()})
    expected = build()(ROWS, training=False)
    assert set(found) == {"logits", "scores"}
    assert found["scores"] == pytest.approx(expected["scores"].numpy()[:3], abs=1e-5)


@pytest.mark.parametrize("name", QUANTIZERS.names())
def test_an_open_batch_axis_takes_any_number_of_products(name: str) -> None:
    from ai_edge_litert.interpreter import Interpreter

    network, quantizer = build(), QUANTIZERS.make(name, {})
    quantizer.prepare(network, [ROWS] if quantizer.calibrates else [])
    expected = network(ROWS, training=False)["logits"].numpy()
    interpreter = Interpreter(model_content=convert(network, quantizer, batch_size=None))
    run = interpreter.get_signature_runner("serving_default")
    for rows in (12, 1, 5):
        found = run(**{key: of[:rows] for key, of in ROWS.items()})["logits"]
        assert found.shape == (rows, 4)
        assert np.abs(found - expected[:rows]).max() < 0.05 * np.ptp(expected)


@pytest.mark.parametrize("name", ["full_integer", "qat_int8"])
def test_what_is_no_regular_expression_is_no_option(name: str) -> None:
    with pytest.raises(ValueError, match=r"`keep_float` must be a regular .* keep_float='\('"):
        QUANTIZERS.make(name, {"keep_float": "("})


def test_a_quantizer_tells_what_stayed_in_float() -> None:
    quantizer = QUANTIZERS.make("full_integer", {"keep_float": "head"})
    options = dict(vars(quantizer))
    assert quantizer.attached is None
    quantizer.prepare(build(), [ROWS])
    assert quantizer.attached.in_float == ["head"]
    assert quantizer.attached.count_types()["Dense"] == 1
    # A training is gone on with by the options of its quantizer.
    assert vars(quantizer) == options == {"keep_float": "head"}


def test_what_no_device_knows_is_an_error() -> None:
    read = keras.Input((3,), name="x")

    class Spelled(layers.Layer):
        def call(self, x):
            return tf.cast(tf.strings.length(tf.strings.as_string(x)), tf.float32)

    network = keras.Model({"x": read}, {"logits": Spelled()(read)})
    with pytest.raises(ValueError, match="The network cannot be converted: "):
        convert(network, QUANTIZERS.make("float32", {}))

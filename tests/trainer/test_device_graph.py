"""What a device computes of a float network is what Keras computes."""

from __future__ import annotations

import keras
import keras_hub
import numpy as np
import pytest
from ai_edge_litert.interpreter import Interpreter

from trainer.device_graph import convert, prepare_for_device
from trainer.layers.device_norm import DeviceNorm
from trainer.registry import QUANTIZERS


@pytest.fixture
def transformer():
    keras.utils.set_random_seed(0)
    tokens = keras.Input((None, 16), name="tokens")
    mask = keras.Input((None,), dtype="int32", name="mask")
    values = tokens
    for index in range(2):
        block = keras_hub.layers.TransformerEncoder(32, num_heads=4, name=f"block_{index}")
        values = block(values, padding_mask=mask)
    network = keras.Model({"tokens": tokens, "mask": mask}, {"values": values})
    rng = np.random.default_rng(0)
    for weight in network.weights:
        weight.assign(weight + 0.2 * rng.normal(size=weight.shape))
    return network


@pytest.fixture
def products():
    rng = np.random.default_rng(1)
    mask = (np.arange(7) < np.array([[7], [3], [1]])).astype("int32")
    return {"tokens": rng.normal(size=(3, 7, 16)).astype("float32"), "mask": mask}


def test_attention_and_normalisation_are_those_of_keras(transformer, products):
    expected = transformer(products)["values"].numpy()
    prepare_for_device(transformer)
    found = transformer(products)["values"].numpy()
    there = products["mask"].astype(bool)
    np.testing.assert_allclose(found[there], expected[there], atol=2e-6)


def test_a_device_needs_no_choice_that_would_cut_its_graph(transformer, products):
    expected = transformer(products)["values"].numpy()
    content = convert(transformer, QUANTIZERS.make("float32", {}), batch_size=None)
    interpreter = Interpreter(model_content=content)
    run = interpreter.get_signature_runner("serving_default")
    there = products["mask"].astype(bool)
    np.testing.assert_allclose(run(**products)["values"][there], expected[there], atol=1e-5)
    names = {of["op_name"] for of in interpreter._get_ops_details()}
    assert "SOFTMAX" in names and not {name for name in names if name.startswith("SELECT")}


@pytest.mark.parametrize(("center", "scale"), [(True, True), (False, True), (True, False)])
def test_normalisations_without_centre_or_scale(center, scale):
    norm = keras.layers.LayerNormalization(center=center, scale=scale, epsilon=0.1)
    values = np.random.default_rng(0).normal(3, 2, (2, 3, 5)).astype("float32")
    network = keras.Sequential([keras.Input((3, 5)), norm])
    for weight in norm.weights:
        weight.assign(np.linspace(-1, 2, 5))
    expected = norm(values).numpy()
    prepare_for_device(network)
    assert isinstance(norm, DeviceNorm)
    np.testing.assert_allclose(norm(values), expected, atol=1e-6)


def test_other_normalisations_stay_as_they_are():
    norm = keras.layers.LayerNormalization(axis=[1, 2])
    network = keras.Sequential([keras.Input((3, 5)), norm])
    prepare_for_device(network)
    prepare_for_device(network)
    assert type(norm) is keras.layers.LayerNormalization

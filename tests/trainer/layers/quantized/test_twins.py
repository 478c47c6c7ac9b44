"""Each quantized layer beside its float twin."""

from typing import Any

import keras
import keras_hub
import numpy as np
import pytest
import tensorflow as tf

from trainer.device_graph import prepare_for_device
from trainer.layers.prefix_block import PrefixBlock
from trainer.layers.quantized.attach import attach_quantizers, calibrate
from trainer.layers.quantized.fake_quant import FakeQuant
from trainer.layers.quantized.twin import find_twin, set_idle
from trainer.layers.weighted_bag import WeightedBag

layers = keras.layers
RNG = np.random.default_rng(0)
PICTURES = RNG.normal(size=(2, 9, 9, 3)).astype(np.float32)


def values(*shape: int) -> np.ndarray:
    return RNG.normal(size=shape).astype(np.float32)


def ids(*shape: int) -> np.ndarray:
    return RNG.integers(0, 20, shape)


TO_HEADS = {"equation": "abc,cde->abde", "output_shape": (None, 2, 4), "bias_axes": "de"}
FROM_HEADS = {"equation": "abcd,cde->abe", "output_shape": (None, 5), "bias_axes": "e"}
VOTES = {"equation": "bvd,vdc->bvc", "output_shape": (3, 4), "bias_axes": "vc"}
TURNED = {"equation": "bdt,dc->bct", "output_shape": (4, 6)}
STRIDED = {"filters": 4, "kernel_size": 3, "strides": 2, "padding": "same"}
TRANSFORMER = {"intermediate_dim": 16, "num_heads": 2, "activation": "gelu"}
# Layer, its arguments, what it reads.
LAYERS: dict[str, tuple[type[keras.Layer], dict[str, Any], np.ndarray]] = {
    "dense": (layers.Dense, {"units": 5}, values(8, 7)),
    "dense of tokens": (layers.Dense, {"units": 5, "activation": "gelu"}, values(8, 3, 7)),
    "dense with relu": (layers.Dense, {"units": 5, "activation": "relu"}, values(8, 7)),
    "query": (layers.EinsumDense, TO_HEADS, values(3, 6, 8)),
    "attention output": (layers.EinsumDense, FROM_HEADS, values(3, 6, 2, 4)),
    "votes": (layers.EinsumDense, VOTES, values(9, 3, 8)),
    "votes with one bias": (layers.EinsumDense, {**VOTES, "bias_axes": "c"}, values(9, 3, 8)),
    "turned": (layers.EinsumDense, TURNED, values(3, 8, 6)),
    "convolution": (layers.Conv2D, STRIDED, values(2, 9, 9, 3)),
    "convolution with relu6": (layers.Conv2D, {**STRIDED, "activation": "relu6"}, PICTURES),
    "depthwise": (layers.DepthwiseConv2D, {"kernel_size": 3, "depth_multiplier": 2}, PICTURES),
    "relu": (layers.ReLU, {}, values(4, 5)),
    "activation": (layers.Activation, {"activation": "swish"}, values(4, 5)),
    "pooling": (layers.GlobalAveragePooling2D, {}, PICTURES),
    "max pooling": (layers.MaxPooling2D, {}, PICTURES),
    "padding": (layers.ZeroPadding2D, {}, PICTURES),
    "embedding": (layers.Embedding, {"input_dim": 20, "output_dim": 6}, ids(3, 4)),
    "tied": (layers.ReversibleEmbedding, {"input_dim": 20, "output_dim": 6}, ids(3, 4)),
    "positions": (keras_hub.layers.PositionEmbedding, {"sequence_length": 9}, values(2, 5, 6)),
    "convolution of a row": (layers.Conv1D, {"filters": 4, "kernel_size": 3}, values(3, 9, 5)),
    "normalisation": (layers.BatchNormalization, {}, PICTURES),
    "pooling of a row": (layers.GlobalAveragePooling1D, {}, values(3, 9, 5)),
    "pooling by pixels": (layers.AveragePooling2D, {"pool_size": 2}, PICTURES),
    "max pooling of a row": (layers.MaxPooling1D, {}, values(3, 9, 5)),
    "global max pooling": (layers.GlobalMaxPooling2D, {}, PICTURES),
    "flatten": (layers.Flatten, {}, PICTURES),
    "reshape": (layers.Reshape, {"target_shape": (27, 9)}, PICTURES),
    "permute": (layers.Permute, {"dims": (3, 1, 2)}, PICTURES),
    "block": (keras_hub.layers.TransformerEncoder, TRANSFORMER, values(4, 6, 8)),
}

MOVES = {
    "max pooling", "max pooling of a row", "global max pooling", "padding", "flatten", "reshape",
    "permute",
}  # fmt: skip
MERGES = (layers.Add, layers.Subtract, layers.Multiply, layers.Average)


def build(name: str) -> tuple[keras.Model, np.ndarray]:
    layer, arguments, inputs = LAYERS[name]
    keras.utils.set_random_seed(1)
    read = keras.Input(inputs.shape[1:], dtype=str(inputs.dtype))
    model = keras.Model(read, layer(**arguments)(read))
    for weight in model.weights:
        if "bias" in weight.path:
            weight.assign(np.random.default_rng(2).normal(size=weight.shape))
        if name == "normalisation":
            weight.assign(np.random.default_rng(2).uniform(0.5, 2, size=weight.shape))
    return model, inputs


def half_step(of: np.ndarray) -> float:
    """Returns how far values are from a grid of 255 steps over their range, with zero on it."""
    # Floats of 32 bits do not round at exactly half a step.
    return float(np.ptp(np.append(of, 0.0))) / 255 / 2 * 1.001 + 1e-6


def half_weight_step(weights: np.ndarray) -> float:
    """Returns the same for weights, of 254 steps around zero; channels have no larger ones."""
    return float(np.abs(weights).max()) / 127 / 2 * 1.001 + 1e-6


def bound(model: keras.Model, inputs: np.ndarray) -> np.ndarray:
    """Returns how far from a layer in float its twin may be, by the steps of what it rounds."""
    layer, expected = model.layers[-1], model(inputs).numpy()
    if isinstance(layer, layers.Embedding | keras_hub.layers.PositionEmbedding):
        return np.full_like(expected, half_weight_step(layer.get_weights()[0]))
    if not hasattr(layer, "kernel"):
        return np.full_like(expected, half_step(expected))
    kernel, activation = layer.kernel.numpy(), layer.activation
    layer.activation = keras.activations.linear
    products = model(inputs).numpy()
    if layer.bias is not None:
        layer.bias.assign(np.zeros(layer.bias.shape))

    def product(inputs: np.ndarray, kernel: np.ndarray) -> np.ndarray:
        layer.kernel.assign(kernel)
        return model(inputs).numpy()

    # |x'w' - xw| <= |x| |w' - w| + |x' - x| |w'|
    step = half_weight_step(kernel)
    error = product(np.abs(inputs), np.full_like(kernel, step))
    error += product(np.full_like(inputs, half_step(inputs)), np.abs(kernel) + step)
    if activation in (keras.activations.gelu, keras.activations.swish):
        # Rounded before, too; nowhere steeper than this.
        error = 1.13 * (error + half_step(products))
    return error + half_step(expected)


@pytest.mark.parametrize("name", sorted(LAYERS.keys() - MOVES - {"block"}))
def test_a_quantized_layer_is_its_twin_within_the_steps(name: str) -> None:
    (model, inputs), (plain, _) = build(name), build(name)
    expected, most = model(inputs).numpy(), bound(plain, inputs)
    attached = attach_quantizers(model)
    assert attached.quantized
    calibrate(model, attached, [inputs[:2], inputs])
    error = np.abs(model(inputs).numpy() - expected)
    assert np.all(error <= most)
    # Not much less either: it does round.
    assert error.max() > most.mean() / 20


@pytest.mark.parametrize("name", sorted(MOVES))
def test_what_only_moves_values_keeps_their_grid(name: str) -> None:
    layer, arguments, inputs = LAYERS[name]
    read = keras.Input(inputs.shape[1:])
    x = layers.Activation("linear", name="rounds")(read)
    moved = layer(**arguments)(x)
    model = keras.Model(read, [x, moved, layers.Activation("linear", name="again")(moved)])
    attached = attach_quantizers(model)
    calibrate(model, attached, [inputs])
    rounded, found, again = (of.numpy() for of in model(inputs))
    assert 0 < np.abs(rounded - inputs).max() <= half_step(inputs)
    assert np.array_equal(found, layer(**arguments)(rounded).numpy())
    # Whoever reads it does not round it anew.
    assert np.array_equal(again, found)


@pytest.mark.parametrize("layer", MERGES)
def test_a_quantized_sum_or_product_is_rounded_once(layer: type[keras.Layer]) -> None:
    inputs = [values(8, 5), 3 * values(8, 5)]
    read = [keras.Input((5,)), keras.Input((5,))]
    model = keras.Model(read, layer()(read))
    expected = model(inputs).numpy()
    attached = attach_quantizers(model)
    calibrate(model, attached, [inputs])
    error = np.abs(model(inputs).numpy() - expected)
    assert half_step(expected) / 2 < error.max() <= half_step(expected)


def test_a_quantized_block_is_nearly_its_twin() -> None:
    model, inputs = build("block")
    expected = model(inputs).numpy()
    attached = attach_quantizers(model)
    calibrate(model, attached, [inputs[:2], inputs])
    error = np.abs(model(inputs).numpy() - expected)
    # Many roundings, one after the other.
    assert 0 < error.max() < 0.03 * np.ptp(expected)
    assert error.mean() < 0.006 * np.ptp(expected)


def test_attention_with_a_cache_is_nearly_its_twin() -> None:
    keras.utils.set_random_seed(1)
    tokens, cache = values(4, 1, 8), values(4, 2, 6, 2, 4)
    attention = keras_hub.layers.CachedMultiHeadAttention(2, 4)

    def run(tensors: tuple[np.ndarray, np.ndarray], training: bool = False) -> Any:
        return attention(tensors[0], tensors[0], cache=tensors[1], cache_update_index=3)

    expected = [of.numpy() for of in run((tokens, cache))]
    attached = attach_quantizers(attention)
    assert len(attached.quantized) == 5
    calibrate(run, attached, [(tokens, cache)])
    found = [of.numpy() for of in run((tokens, cache))]
    for one, other in zip(found, expected, strict=True):
        assert 0 < np.abs(one - other).max() < 0.03 * np.ptp(other)
    kept = np.arange(6) != 3
    assert np.array_equal(found[1][:, :, kept], cache[:, :, kept])


@pytest.mark.parametrize("name", LAYERS)
def test_a_device_computes_the_same(name: str) -> None:
    model, inputs = build(name)
    attached = attach_quantizers(model)
    calibrate(model, attached, [inputs])
    expected = model(inputs).numpy()
    prepare_for_device(model)
    run = tf.function(
        model, input_signature=[tf.TensorSpec([None, *inputs.shape[1:]], inputs.dtype)]
    )
    found = run(inputs).numpy()
    # Another order of sums may round a value to the next step.
    spread = max(expected.max() - expected.min(), 1e-6)
    assert np.abs(found - expected).mean() < spread * 1e-3
    assert np.abs(found - expected).max() < spread * 0.02


PRODUCTS = ["dense", "query", "attention output", "votes", "turned", "convolution", "depthwise"]


@pytest.mark.parametrize("name", PRODUCTS)
def test_gradients_are_those_of_rounded_inputs_and_weights(name: str) -> None:
    (model, inputs), (plain, _) = build(name), build(name)
    attached = attach_quantizers(model)
    calibrate(model, attached, [3 * inputs])  # so that nothing lies beyond its range
    layer = model.layers[-1]
    read = layer.input_quantizer(inputs)
    spread = np.random.default_rng(4).normal(size=model(inputs).shape).astype(np.float32)

    def gradients(model: keras.Model, inputs: tf.Tensor) -> list[np.ndarray]:
        with tf.GradientTape() as tape:
            cost = tf.reduce_sum(model(inputs) * spread)
        return [of.numpy() for of in tape.gradient(cost, model.trainable_variables)]

    # A product is linear in its weights: straight through, their gradient is that of the inputs.
    for found, expected in zip(
        gradients(model, inputs), gradients(plain, read.numpy()), strict=True
    ):
        assert found == pytest.approx(expected, rel=1e-3, abs=1e-3)


def test_a_block_learns() -> None:
    model, inputs = build("block")
    attached = attach_quantizers(model)
    calibrate(model, attached, [inputs])
    model.compile(keras.optimizers.Adam(0.01), "mse")
    targets = np.roll(inputs, 1, axis=1)
    history = model.fit(inputs, targets, epochs=30, batch_size=4, verbose=0).history["loss"]
    assert history[-1] < history[0] / 2


def test_attention_leaves_out_what_is_masked() -> None:
    block = keras_hub.layers.TransformerEncoder(16, 2)
    tokens, mask = values(2, 5, 8), np.array([[1, 1, 1, 0, 0], [1, 1, 1, 1, 1]])
    read = keras.Input((5, 8)), keras.Input((5,), dtype="int32")
    model = keras.Model(read, block(read[0], padding_mask=read[1]))
    attached = attach_quantizers(model)
    calibrate(model, attached, [(tokens, mask)])
    changed = tokens.copy()
    changed[0, 3:] *= -1
    before, after = model((tokens, mask)).numpy(), model((changed, mask)).numpy()
    assert after[0, :3] == pytest.approx(before[0, :3], abs=1e-6)
    assert np.abs(after[0, 3:] - before[0, 3:]).max() > 0.1


def test_attention_looks_at_a_learned_prefix_too() -> None:
    model, inputs = build("block")
    PrefixBlock.convert(model.layers[-1], prefix_length=3)
    for weight in model.layers[-1].prefix:
        weight.assign(np.random.default_rng(5).normal(size=weight.shape))
    expected = model(inputs).numpy()
    attached = attach_quantizers(model)
    calibrate(model, attached, [inputs])
    assert np.abs(model(inputs).numpy() - expected).max() < 0.03 * np.ptp(expected)


def test_a_bag_of_vectors_is_the_same_on_a_device() -> None:
    bag = WeightedBag(30, 6)
    ids, weights = RNG.integers(0, 30, (4, 5)).astype(np.int32), np.abs(values(4, 5))
    weights[0, 3:] = 0
    read = keras.Input((None,), dtype="int32"), keras.Input((None,))
    model = keras.Model(read, bag(*read))
    bag.vectors.assign(values(30, 6))
    expected = model((ids, weights)).numpy()
    attached = attach_quantizers(model)
    calibrate(model, attached, [(ids, weights)])
    found = model((ids, weights)).numpy()
    assert np.abs(found - expected).max() < 0.03 * np.ptp(expected)
    prepare_for_device(model)
    assert model((ids, weights)).numpy() == pytest.approx(found, abs=float(np.ptp(expected)) / 200)


def test_evened_channels_rescue_a_transformer_with_outliers() -> None:
    errors = []
    for evened in (True, False):
        model, inputs = build("block")
        block = model.layers[-1]
        # One channel of the residual that is fifty times as large as the others.
        bias = np.zeros(8, np.float32)
        bias[3] = 50
        block._feedforward_output_dense.bias.assign(bias)
        expected = model(inputs).numpy()
        attached = attach_quantizers(model)
        if not evened:
            for quantizer in attached.quantizers:
                quantizer.strength = 0.0
        calibrate(model, attached, [inputs])
        errors.append(np.abs(model(inputs).numpy() - expected).mean())
    assert errors[0] < errors[1] / 2


def test_every_quantizer_that_passes_values_was_calibrated() -> None:
    model, inputs = build("block")
    attached = attach_quantizers(model)
    calibrate(model, attached, [inputs])
    used = [of for of in attached.quantizers if of.is_set]
    assert len(used) >= 10
    for quantizer in used:
        assert isinstance(quantizer, FakeQuant)
        assert float(quantizer.low.value) <= 0 < float(quantizer.high.value)


def test_there_is_a_twin_for_each_kind_of_product() -> None:
    kinds = ("Dense", "EinsumDense", "Conv1D", "Conv2D", "DepthwiseConv2D", "MultiHeadAttention")
    for kind in kinds:
        assert find_twin(getattr(layers, kind)) is not None
    assert find_twin(keras_hub.layers.CachedMultiHeadAttention) is not None
    assert find_twin(layers.LSTM) is None


@pytest.mark.parametrize("name", LAYERS)
def test_an_idle_twin_is_the_float_layer(name: str) -> None:
    model, inputs = build(name)
    expected = model(inputs).numpy()
    attached = attach_quantizers(model)
    calibrate(model, attached, [inputs])
    rounded = model(inputs).numpy()
    kinds = [type(layer) for layer in attached.quantized]
    for _ in range(2):
        for layer in attached.quantized:
            set_idle(layer, True)
        assert np.array_equal(model(inputs).numpy(), expected)
    for layer in attached.quantized:
        set_idle(layer, False)
    assert [type(layer) for layer in attached.quantized] == kinds
    assert np.array_equal(model(inputs).numpy(), rounded)


def test_attention_that_was_idle_on_its_way_to_a_device_rounds_again():
    keras.utils.set_random_seed(0)
    layer = keras_hub.layers.CachedMultiHeadAttention(2, 4)
    read = keras.Input((6, 8))
    model = keras.Model(read, layer(read, read))
    x = np.random.default_rng(0).normal(size=(2, 6, 8)).astype(np.float32)
    calibrate(model, attach_quantizers(model), [x])
    rounded = model(x, training=False).numpy()
    set_idle(layer, True)
    idle = model(x, training=False).numpy()
    assert np.abs(rounded - idle).max() > 1e-4
    for _ in range(2):
        set_idle(layer, True)
        prepare_for_device(model)
        np.testing.assert_allclose(model(x), idle, atol=1e-5)
        set_idle(layer, False)
        prepare_for_device(model)
        np.testing.assert_allclose(model(x), rounded, atol=1e-5)

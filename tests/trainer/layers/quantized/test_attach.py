import keras
import numpy as np
import pytest
import tensorflow as tf

from trainer.layers.quantized.attach import attach_quantizers, calibrate
from trainer.layers.quantized.folding import FoldedNorm, fold_norms

layers = keras.layers
PICTURES = np.random.default_rng(0).normal(size=(4, 8, 8, 3)).astype(np.float32)


def convolutional(activation: str = "relu", depthwise: bool = True) -> keras.Model:
    keras.utils.set_random_seed(0)
    read = keras.Input((8, 8, 3), name="read")
    x = layers.Conv2D(6, 3, use_bias=False, name="first")(read)
    x = layers.BatchNormalization(name="first_norm")(x)
    x = skip = layers.Activation(activation, name="first_activation")(x)
    if depthwise:
        x = layers.DepthwiseConv2D(3, padding="same", depth_multiplier=1, name="second")(x)
    else:
        x = layers.Conv2D(6, 3, padding="same", name="second")(x)
    x = layers.BatchNormalization(scale=False, name="second_norm")(x)
    x = layers.Add(name="add")([x, skip])
    x = layers.ReLU(name="last")(x)
    model = keras.Model(read, layers.GlobalAveragePooling2D(name="pool")(x))
    rng = np.random.default_rng(3)
    for weight in model.weights:
        if "norm" in weight.path or "bias" in weight.path:
            low = 0.5 if "variance" in weight.path else -1.0
            weight.assign(rng.uniform(low, 2.0, weight.shape))
    return model


@pytest.mark.parametrize("depthwise", [True, False])
def test_folding_changes_no_output(depthwise: bool) -> None:
    model = convolutional(depthwise=depthwise)
    expected = model(PICTURES).numpy()
    assert len(fold_norms(model)) == 2
    assert model(PICTURES).numpy() == pytest.approx(expected, abs=1e-5)
    assert type(model.get_layer("first_norm")) is FoldedNorm
    assert not any("norm" in weight.path for weight in model.weights)


def test_a_convolution_that_others_read_too_is_not_folded() -> None:
    read = keras.Input((8, 8, 3))
    x = layers.Conv2D(6, 3)(read)
    model = keras.Model(read, layers.Add()([x, layers.BatchNormalization()(x)]))
    assert not fold_norms(model)


def test_a_relu_is_computed_with_the_product_before() -> None:
    model = convolutional()
    attached = attach_quantizers(model)
    calibrate(model, attached, [PICTURES])
    first, add, last = (model.get_layer(name) for name in ("first", "add", "last"))
    assert not first.output_quantizer.is_set and not add.output_quantizer.is_set
    assert model.get_layer("first_activation").output_quantizer.is_set
    assert model.get_layer("second").output_quantizer.is_set
    assert first.input_quantizer.is_set and last.output_quantizer.is_set
    # What is rounded already is not rounded once more where it is read: once each, what is
    # read, the first activation, the second convolution, the last activation and the mean.
    graph = tf.function(model).get_concrete_function(tf.TensorSpec(PICTURES.shape)).graph
    kinds = [of.type for of in graph.get_operations()]
    assert kinds.count("FakeQuantWithMinMaxVars") == 5


def test_other_activations_round_before_and_after() -> None:
    model = convolutional("swish")
    attached = attach_quantizers(model)
    calibrate(model, attached, [PICTURES])
    assert model.get_layer("first").output_quantizer.is_set
    assert model.get_layer("first_activation").output_quantizer.is_set


def test_a_whole_network_answers_nearly_the_same() -> None:
    model = convolutional()
    expected = model(PICTURES).numpy()
    attached = attach_quantizers(model)
    assert attached.count_types() == {
        "Activation": 1, "Add": 1, "Conv2D": 1, "DepthwiseConv2D": 1,
        "GlobalAveragePooling2D": 1, "ReLU": 1,
    }  # fmt: skip
    assert attached.folded == ["first_norm", "second_norm"]
    calibrate(model, attached, [PICTURES])
    error = np.abs(model(PICTURES).numpy() - expected)
    assert 0 < error.mean() < 0.02 * np.ptp(expected)


def test_an_unknown_layer_with_weights_is_named() -> None:
    read = keras.Input((5, 3))
    model = keras.Model(read, layers.Dense(2)(layers.LSTM(4, name="memory")(read)))
    with pytest.raises(ValueError, match=r"LSTMCell \(memory/lstm_cell\).*keep_float"):
        attach_quantizers(model)


def test_what_is_left_in_float_is_told() -> None:
    read = keras.Input((5, 3))
    model = keras.Model(read, layers.Dense(2, name="head")(layers.LSTM(4, name="memory")(read)))
    attached = attach_quantizers(model, keep_float="memory.*")
    assert attached.in_float == ["memory/lstm_cell"]
    assert attached.count_types() == {"Dense": 1}


def test_the_same_network_attached_again_takes_the_weights() -> None:
    model, other = convolutional(), convolutional()
    attached = attach_quantizers(model)
    calibrate(model, attached, [PICTURES])
    for weight in model.trainable_weights:
        weight.assign(weight * 1.1)
    again = attach_quantizers(other)
    other.set_weights(model.get_weights())
    for quantizer in again.quantizers:
        quantizer.refresh()
    assert other(PICTURES).numpy().tolist() == model(PICTURES).numpy().tolist()


def test_what_matches_no_layer_is_an_error() -> None:
    with pytest.raises(ValueError, match=r"the whole path .* Received: keep_float='firs'"):
        attach_quantizers(convolutional(), keep_float="firs")

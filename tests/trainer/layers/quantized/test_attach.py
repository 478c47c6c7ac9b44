import re
from collections.abc import Callable

import keras
import keras_hub
import numpy as np
import pytest
import tensorflow as tf

from trainer.layers.low_rank import add_low_rank, merge_low_rank
from trainer.layers.quantized import known
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


def shared_norm() -> keras.Model:
    read = keras.Input((8, 8, 3))
    norm = layers.BatchNormalization(name="norm")
    return keras.Model(read, [norm(layers.Conv2D(6, 3)(read)), norm(layers.Conv2D(6, 3)(read))])


def convolution_as_output() -> keras.Model:
    read = keras.Input((8, 8, 3))
    x = layers.Conv2D(6, 3)(read)
    return keras.Model(read, [layers.BatchNormalization(name="norm")(x), x])


def convolution_of_two_models() -> keras.Model:
    read = keras.Input((8, 8, 3))
    x = layers.Conv2D(6, 3)(read)
    whole = keras.Model(read, layers.BatchNormalization(name="norm")(x))
    part = keras.Model(read, x)
    again = keras.Input((8, 8, 3))
    return keras.Model(again, [whole(again), part(again)])


def convolution_called_twice() -> keras.Model:
    read = keras.Input((8, 8, 3))
    convolution = layers.Conv2D(3, 3, padding="same")
    x = layers.BatchNormalization(name="norm")(convolution(read))
    return keras.Model(read, convolution(x))


def convolution_with_its_own_call() -> keras.Model:
    read = keras.Input((8, 8, 3))
    return keras.Model(read, layers.BatchNormalization(name="norm")(Standardized(6, 3)(read)))


class Standardized(layers.Conv2D):
    def call(self, inputs):
        kernel = self.kernel - keras.ops.mean(self.kernel, axis=(0, 1, 2))
        return self.convolution_op(inputs, kernel)


UNFOLDED = (
    shared_norm, convolution_as_output, convolution_of_two_models, convolution_called_twice,
    convolution_with_its_own_call,
)  # fmt: skip


@pytest.mark.parametrize("build", UNFOLDED)
def test_only_what_a_norm_alone_reads_is_folded(build: Callable[[], keras.Model]) -> None:
    keras.utils.set_random_seed(0)
    model = build()
    rng = np.random.default_rng(3)
    for weight in model.weights:
        if "norm" in weight.path:
            weight.assign(rng.uniform(0.5, 2.0, weight.shape))
    outputs = tf.nest.flatten(model(PICTURES))
    assert not fold_norms(model)
    if build is not convolution_with_its_own_call:
        # Quantized as it stands.
        attached = attach_quantizers(model)
        assert attached.count_types()["BatchNormalization"] == 1 and not attached.folded
        calibrate(model, attached, [PICTURES])
    for found, expected in zip(tf.nest.flatten(model(PICTURES)), outputs, strict=True):
        assert np.abs(found - expected).max() < 0.03 * np.ptp(expected)


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
    assert attached.in_float == ["memory", "memory/lstm_cell"]
    assert attached.count_types() == {"Dense": 1}


def transformer() -> keras.Model:
    read = keras.Input((5, 8))
    x = keras_hub.layers.TransformerEncoder(16, 2, name="first")(read)
    x = keras_hub.layers.TransformerEncoder(16, 2, name="second")(x)
    return keras.Model(read, layers.GlobalAveragePooling1D(name="pool")(x))


def test_the_name_of_a_block_keeps_all_inside_of_it() -> None:
    attached = attach_quantizers(transformer(), keep_float="first")
    parts = {(layer.path or layer.name).split("/")[0] for layer in attached.quantized}
    assert parts == {"second", "pool"}
    assert "first/self_attention_layer/query" in attached.in_float


def test_the_name_of_a_nested_network_keeps_all_inside_of_it() -> None:
    inner = convolutional()
    read = keras.Input((8, 8, 3))
    model = keras.Model(read, layers.Dense(2, name="head")(inner(read)))
    expected = inner(PICTURES).numpy()
    attached = attach_quantizers(model, keep_float=inner.name)
    assert [layer.name for layer in attached.quantized] == ["head"]
    assert set(attached.in_float) == {
        "first", "first_activation", "second", "add", "last", "pool",
    }  # fmt: skip
    calibrate(model, attached, [PICTURES])
    assert inner(PICTURES).numpy() == pytest.approx(expected, abs=1e-5)


def test_a_norm_that_is_kept_is_not_folded() -> None:
    attached = attach_quantizers(convolutional(), keep_float="first_norm")
    assert attached.in_float == ["first_norm"] and attached.folded == ["second_norm"]
    both = attach_quantizers(convolutional(), keep_float="first_norm|first")
    assert both.in_float == ["first"] and both.folded == ["first_norm", "second_norm"]


@pytest.mark.parametrize("name", ["read", "first_", "first/layer_norm"])
def test_what_keeps_nothing_is_an_error(name: str) -> None:
    read = keras.Input((5, 8), name="read")
    model = keras.Model(read, keras_hub.layers.TransformerEncoder(16, 2, name="first")(read))
    if "norm" in name:
        name = model.layers[-1]._self_attention_layer_norm.path
    with pytest.raises(
        ValueError, match=r"such as \[.*'first/.*Received: keep_float='(read|first)"
    ):
        attach_quantizers(model, keep_float=name)


def test_layers_without_weights_that_compute_are_named() -> None:
    read, other = keras.Input((4, 6)), keras.Input((4, 6))
    x = layers.GroupQueryAttention(4, 2, 2, name="groups")(read, read)
    x = layers.Dot(2, name="product")([layers.LeakyReLU(name="leaky")(x), other])
    x = keras.ops.matmul(x, read)
    model = keras.Model([read, other], layers.Maximum(name="larger")([x, read]))
    message = (
        r"\['Dot \(product\)', 'GroupedQueryAttention \(groups\)', 'LeakyReLU \(leaky\)', "
        r"'Matmul \((matmul\S*)\)', 'Maximum \(larger\)'\].*keep_float='groups\|larger\|"
    )
    with pytest.raises(ValueError, match=message) as raised:
        attach_quantizers(model)
    keep_float = re.search("keep_float='(.*?)'", str(raised.value))[1]
    attached = attach_quantizers(model, keep_float)
    assert {"product", "groups", "leaky", "larger", "groups/query"} <= set(attached.in_float)
    assert any(name.startswith("matmul") for name in attached.in_float)
    assert not attached.quantized


def test_what_only_moves_values_is_no_unknown_layer() -> None:
    read = keras.Input((6, 6, 4))
    x = layers.Rescaling(2.0)(layers.SpatialDropout2D(0.5)(layers.Cropping2D(1)(read)))
    x = keras.ops.concatenate([keras.ops.flip(x, 1), x * keras.ops.cast(x[..., :1] > 0, "float32")])
    x = keras.Sequential([layers.Flatten(), layers.Softmax(), layers.Dropout(0.5)])(x)
    model = keras.Model(read, layers.UnitNormalization()(layers.Dense(2)(layers.Identity()(x))))
    attached = attach_quantizers(model)
    assert attached.count_types() == {"Dense": 1, "Flatten": 1} and not attached.in_float


def test_blocks_of_image_backbones_are_known() -> None:
    blocks = [known.mobilenet.DepthwiseConvBlock(4, 8, squeeze_excite_ratio=0.5, name="deep")]
    blocks += [known.MBConvBlock(8, 8, 2), known.FusedMBConvBlock(8, 8, 2)]
    read = x = keras.Input((8, 8, 4))
    for block in blocks:
        x = block(x)
    attached = attach_quantizers(keras.Model(read, x))
    assert attached.count_types()["Conv2D"] >= 5


class Doubled(layers.Dense):
    def call(self, inputs, training=None):
        return 2 * super().call(inputs)


class Named(layers.Dense):
    """Computes as any other."""


def test_a_layer_with_its_own_call_is_no_dense() -> None:
    read = keras.Input((6,))
    model = keras.Model(read, Doubled(4, name="doubled")(Named(5)(read)))
    with pytest.raises(ValueError, match=r"\['Doubled \(doubled\)'\].*keep_float='doubled'"):
        attach_quantizers(model)
    rows = PICTURES[..., 0].reshape(-1, 8)[:, :6]
    expected = model(rows).numpy()
    attached = attach_quantizers(model, "doubled")
    assert attached.count_types() == {"Named": 1} and attached.in_float == ["doubled"]
    assert model(rows).numpy() == pytest.approx(expected, abs=0.01 * float(np.ptp(expected)))


def test_adapters_must_be_merged_before() -> None:
    model = transformer()
    query = model.get_layer("first")._self_attention_layer._query_dense
    query.enable_lora(2)
    dense = model.get_layer("second")._feedforward_output_dense
    add_low_rank(dense, 2, left="normal", right="normal")
    expected = sorted([query.path, dense.path])
    for keep_float in ("", "first"):
        with pytest.raises(ValueError, match="must be merged") as raised:
            attach_quantizers(model, keep_float)
        assert str(expected) in str(raised.value)
    merge_low_rank(dense)
    with pytest.raises(ValueError, match=re.escape(str([query.path]))):
        attach_quantizers(model)


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

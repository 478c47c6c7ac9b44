import numpy as np
import pytest
import tensorflow as tf

from trainer.weights.efficientnet_lite0 import load_efficientnet_lite0
from trainer.weights.source import WeightsSource, resolve_weights
from trainer.weights.torch_file import read_torch_file

REPEATS = (1, 2, 2, 3, 3, 4, 1)
STRIDES = (1, 2, 2, 2, 1, 2, 1)


def _forward(tensors, x):
    """EfficientNet-Lite0 as published: the file's own tensors, TensorFlow's SAME padding."""

    def norm(x, name):
        mean, variance, scale, offset = (
            tensors[f"{name}.{part}"] for part in ("running_mean", "running_var", "weight", "bias")
        )
        return (x - mean) / np.sqrt(variance + 1e-3) * scale + offset

    def conv(x, name, stride=1):
        return tf.nn.conv2d(x, tensors[f"{name}.weight"].transpose(2, 3, 1, 0), stride, "SAME")

    def depthwise(x, name, stride):
        kernel = tensors[f"{name}.weight"].transpose(2, 3, 0, 1)
        return tf.nn.depthwise_conv2d(x, kernel, [1, stride, stride, 1], "SAME")

    x = tf.nn.relu6(norm(conv(x, "_conv_stem", 2), "_bn0"))
    index = 0
    for stack, (repeats, stack_stride) in enumerate(zip(REPEATS, STRIDES, strict=True)):
        for repeat in range(repeats):
            block, stride, y = f"_blocks.{index}", stack_stride if repeat == 0 else 1, x
            if stack > 0:
                y = tf.nn.relu6(norm(conv(y, f"{block}._expand_conv"), f"{block}._bn0"))
            y = tf.nn.relu6(norm(depthwise(y, f"{block}._depthwise_conv", stride), f"{block}._bn1"))
            y = norm(conv(y, f"{block}._project_conv"), f"{block}._bn2")
            x = y if repeat == 0 else x + y
            index += 1
    return tf.nn.relu6(norm(conv(x, "_conv_head"), "_bn1")).numpy()


@pytest.mark.pretrained
@pytest.mark.parametrize("size", [64, 72])
def test_computes_what_the_published_network_computes(size):
    source = resolve_weights("package:efficientnet-lite0")
    model = load_efficientnet_lite0(source)
    pixels = np.random.default_rng(0).uniform(-1, 1, (2, size, size, 3)).astype(np.float32)
    expected = _forward(read_torch_file(source.location), pixels)
    assert expected.std() > 0.1
    np.testing.assert_allclose(model(pixels, training=False), expected, atol=1e-4)


def test_refuses_a_file_of_another_network(monkeypatch):
    module = "trainer.weights.efficientnet_lite0.read_torch_file"
    monkeypatch.setattr(module, lambda path: {"_conv_stem.weight": np.zeros((8, 3, 3, 3))})
    with pytest.raises(ValueError, match="must hold the tensors of the published"):
        load_efficientnet_lite0(WeightsSource("other.pth", "file", "other.pth"))


def test_says_when_weights_are_random(caplog):
    with caplog.at_level("INFO", logger="trainer.weights"):
        load_efficientnet_lite0(WeightsSource("random", "random"))
    assert "drawn at random, as asked for" in caplog.text

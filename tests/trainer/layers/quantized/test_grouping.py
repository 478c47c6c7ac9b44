import re

import keras
import keras_hub
import pytest

from trainer.layers.quantized.attach import attach_quantizers
from trainer.layers.quantized.grouping import group_layers

layers = keras.layers


def convolutional() -> keras.Model:
    read = keras.Input((8, 8, 3))
    x = layers.Conv2D(4, 3, name="stem")(read)
    x = skip = layers.ReLU(name="stem_relu")(layers.BatchNormalization()(x))
    x = layers.Conv2D(4, 1, name="stage1_block1a_conv")(x)
    x = layers.DepthwiseConv2D(3, padding="same", name="stage1_block1a_deep")(x)
    x = layers.Add(name="stage1_block1a_add")([x, skip])
    x = layers.Conv2D(4, 1, name="stage1_block1_conv")(x)
    x = layers.GlobalAveragePooling2D(name="pool")(x)
    return keras.Model(read, layers.Dense(3, name="head")(x))


def test_what_belongs_together_is_a_block() -> None:
    model = convolutional()
    blocks = group_layers(attach_quantizers(model).quantized)
    found = {block.name: {layer.name for layer in block.layers} for block in blocks}
    assert found == {
        "stem": {"stem", "stem_relu"},
        "stage1_block1a": {"stage1_block1a_conv", "stage1_block1a_deep", "stage1_block1a_add"},
        "stage1_block1": {"stage1_block1_conv", "pool"},
        "head": {"head"},
    }
    # 3 x 3 x 3 x 4, a kernel of one pixel and 3 x 3 of each channel, no biases.
    weights = {block.name: block.num_weights for block in blocks}
    expected = {"stem": 108, "stage1_block1a": 16 + 36, "stage1_block1": 16, "head": 12}
    assert weights == expected


def test_a_block_of_a_transformer_is_one() -> None:
    read = keras.Input((5, 8))
    x = keras_hub.layers.TransformerEncoder(16, 2, name="first")(read)
    x = keras_hub.layers.TransformerEncoder(16, 2, name="second")(x)
    blocks = group_layers(attach_quantizers(keras.Model(read, x)).quantized)
    assert {block.name: len(block.layers) for block in blocks} == {"first": 7, "second": 7}
    # Queries, keys, values and what attention returns; two layers behind it.
    assert {block.num_weights for block in blocks} == {4 * 64 + 2 * 8 * 16}


@pytest.mark.parametrize("name", ["stem", "stage1_block1a", "stage1_block1", "head"])
def test_a_pattern_leaves_just_that_block_in_float(name: str) -> None:
    blocks = group_layers(attach_quantizers(convolutional()).quantized)
    (block,) = [of for of in blocks if of.name == name]
    paths = [layer.path or layer.name for of in blocks for layer in of.layers]
    own = {layer.path or layer.name for layer in block.layers}
    assert {path for path in paths if re.fullmatch(block.pattern, path)} == own
    model = convolutional()
    left = attach_quantizers(model, keep_float=block.pattern).quantized
    assert {layer.name for layer in left} == set(paths) - own

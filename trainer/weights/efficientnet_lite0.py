"""EfficientNet-Lite0 with the published ImageNet weights."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import numpy as np

from trainer.weights.source import WeightsSource
from trainer.weights.torch_file import read_torch_file

if TYPE_CHECKING:
    import keras

logger = logging.getLogger(__name__)

PIXEL_SCALE = 1 / 128
PIXEL_OFFSET = -127 / 128
_REPEATS = (1, 2, 2, 3, 3, 4, 1)
_PARTS = {
    "expand_conv": "_expand_conv",
    "expand_bn": "_bn0",
    "dwconv": "_depthwise_conv",
    "dwconv_bn": "_bn1",
    "project": "_project_conv",
    "project_bn": "_bn2",
}


def load_efficientnet_lite0(source: WeightsSource) -> keras.Model:
    """Builds EfficientNet-Lite0 on KerasHub's architecture.

    KerasHub pads strided convolutions on both sides, as PyTorch does; the
    published weights were trained with TensorFlow's SAME padding, so that is
    what the returned model does. The result is a plain functional model of
    Keras layers, which loads from `.keras` without KerasHub.

    Args:
        source: WeightsSource of kind `"file"` (PyTorch's old format, with the
            names of the published file) or `"random"`.

    Returns:
        Model from float pixels `(batch, height, width, 3)`, scaled to
        `pixel * PIXEL_SCALE + PIXEL_OFFSET`, to features
        `(batch, height / 32, width / 32, 1280)`.

    Raises:
        ValueError: if the file holds other tensors.

    Reference:
        Tan and Le, 2019, arXiv:1905.11946; the Lite variant has ReLU6 in place
        of swish and no squeeze-and-excitation.
    """
    model = _with_same_padding(_build_backbone())
    if source.kind != "random":
        _assign(model, read_torch_file(source.location), source.text)
    logger.info(
        "Weights %r: EfficientNet-Lite0, %d parameters%s",
        source.text,
        model.count_params(),
        " drawn at random, as asked for" if source.kind == "random" else "",
    )
    return model


def _build_backbone() -> keras.Model:
    import keras_hub

    return keras_hub.models.EfficientNetBackbone(
        stackwise_width_coefficients=[1.0] * 7,
        stackwise_depth_coefficients=[1.0] * 7,
        stackwise_kernel_sizes=[3, 3, 5, 3, 5, 5, 3],
        stackwise_num_repeats=list(_REPEATS),
        stackwise_input_filters=[32, 16, 24, 40, 80, 112, 192],
        stackwise_output_filters=[16, 24, 40, 80, 112, 192, 320],
        stackwise_expansion_ratios=[1, 6, 6, 6, 6, 6, 6],
        stackwise_strides=[1, 2, 2, 2, 1, 2, 1],
        stackwise_squeeze_and_excite_ratios=[0] * 7,
        stackwise_block_types=["v1"] * 7,
        activation="relu6",
        dropout=0,
        # The published network has TensorFlow's epsilon, not PyTorch's 1e-5.
        batch_norm_epsilon=1e-3,
        name="efficientnet_lite0",
    )


def _with_same_padding(backbone: keras.Model) -> keras.Model:
    import keras

    def clone(layer: keras.layers.Layer) -> keras.layers.Layer:
        if isinstance(layer, keras.layers.ZeroPadding2D):
            return keras.layers.Identity(name=layer.name)
        config = layer.get_config()
        if "padding" in config:
            config["padding"] = "same"
        return type(layer).from_config(config)

    return keras.models.clone_model(backbone, clone_function=clone)


def _torch_names() -> dict[str, str]:
    """Returns the prefix in the published file for each layer of KerasHub's."""
    names = {
        "stem_conv": "_conv_stem",
        "stem_bn": "_bn0",
        "top_conv": "_conv_head",
        "top_bn": "_bn1",
    }
    blocks = [
        f"block{stack + 1}{chr(ord('a') + i)}_"
        for stack, n in enumerate(_REPEATS)
        for i in range(n)
    ]
    for index, block in enumerate(blocks):
        for layer, part in _PARTS.items():
            names[block + layer] = f"_blocks.{index}.{part}"
    return names


def _assign(model: keras.Model, tensors: dict[str, np.ndarray], text: str) -> None:
    import keras

    names = _torch_names()
    for layer in model.layers:
        if not layer.weights:
            continue
        prefix = names[layer.name]
        if isinstance(layer, keras.layers.BatchNormalization):
            parts, axes = ("weight", "bias", "running_mean", "running_var"), (0,)
        else:
            depthwise = isinstance(layer, keras.layers.DepthwiseConv2D)
            parts, axes = ("weight",), (2, 3, 0, 1) if depthwise else (2, 3, 1, 0)
        try:
            layer.set_weights([tensors[f"{prefix}.{part}"].transpose(axes) for part in parts])
        except (KeyError, ValueError) as error:
            raise ValueError(
                "The file must hold the tensors of the published EfficientNet-Lite0. Expected "
                f"{[f'{prefix}.{part}' for part in parts]} for layer {layer.name!r} of shapes "
                f"{[tuple(w.shape) for w in layer.weights]}. Received: {text!r}, where: {error}"
            ) from error

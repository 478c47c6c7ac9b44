"""Pictures through any KerasHub image backbone."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, ClassVar

import keras
import tensorflow as tf

from trainer.encoders.encoder import Encoder
from trainer.layers.perturbation import Point, pixel_point
from trainer.layers.picture_ops import decode_pictures
from trainer.layers.pretrained_backbone import PretrainedBackbone
from trainer.registry import ENCODERS
from trainer.weights.efficientnet_lite0 import (
    PIXEL_OFFSET,
    PIXEL_SCALE,
    load_efficientnet_lite0,
)
from trainer.weights.presets import load_backbone, load_pixel_scale
from trainer.weights.source import resolve_weights


@ENCODERS.register("image_backbone")
class ImageBackboneEncoder(Encoder):
    """Embeds a picture with a KerasHub backbone, averaged over positions.

    Embeddings are scaled to one length. Batch normalisation keeps its statistics
    even when the encoder is trained.

    Args:
        name: str. Unique in a model.
        tuning, tuning_options, adapter: As for every encoder.
        weights: str. A preset (see `trainer.weights.source`), the published
            EfficientNet-Lite0 as package or `.pth` file, or `"random"` for one
            drawn at random.
        image_size: int. Pictures are squashed to a square of so many pixels.
        length: float above 0, of the embeddings. In a fusion side by side,
            penalties let a shorter one say less.
    """

    modality: ClassVar[str] = "image"
    parts: ClassVar[Mapping[str, str]] = {
        "weights": ".*",
        "biases": ".*",
        "blocks": r"(stack\d+_)?block\d+[a-z]?",
        "kernels": ".*",
    }

    def __init__(
        self,
        name: str,
        tuning: str = "frozen",
        tuning_options: Mapping[str, Any] | None = None,
        adapter: str = "",
        weights: str = "package:efficientnet-lite0",
        image_size: int = 224,
        length: float = 1.0,
    ) -> None:
        super().__init__(name, tuning, tuning_options, adapter)
        if image_size < 32:
            raise ValueError(f"`image_size` must be 32 or more. Received: image_size={image_size}.")
        if not 0 < length < math.inf:
            raise ValueError(f"`length` must be a number above 0. Received: length={length}.")
        self.weights = weights
        self.image_size = image_size
        self.length = length

    def input_specs(self) -> dict[str, tf.TensorSpec]:
        shape = (self.image_size, self.image_size, 3)
        return {f"{self.name}_pixels": tf.TensorSpec(shape, tf.uint8)}

    def preprocess(self, values: tf.Tensor) -> dict[str, tf.Tensor]:
        return {f"{self.name}_pixels": decode_pictures(values, self.image_size)}

    def build(self) -> keras.Model:
        backbone, scale, offset = self._load_network()
        (key, spec), *_ = self.input_specs().items()
        pixels = keras.Input(spec.shape, dtype="uint8", name=key)
        scaled = keras.layers.Rescaling(scale, offset, name=f"{self.name}_scale")(pixels)
        features = PretrainedBackbone(
            backbone, fixed_statistics=True, name=f"{self.name}_backbone"
        )(scaled)
        unit = keras.layers.UnitNormalization(dtype="float32", name=f"{self.name}_unit")
        embedding = unit(self._pool(features))
        if self.length != 1:
            scale = keras.layers.Rescaling(self.length, dtype="float32", name=f"{self.name}_length")
            embedding = scale(embedding)
        model = keras.Model({key: pixels}, embedding, name=self.name)
        return self._tune(model)

    def find_points(self, model: keras.Model) -> list[Point]:
        return [pixel_point(model.get_layer(f"{self.name}_scale"))]

    def _load_network(self) -> tuple[keras.Model, Any, Any]:
        """Returns the backbone, and the scale and offset of the pixels that it expects."""
        source = resolve_weights(self.weights)
        if source.kind == "random" or source.location.endswith(".pth"):
            return load_efficientnet_lite0(source), PIXEL_SCALE, PIXEL_OFFSET
        scale, offset = load_pixel_scale(source)
        backbone = load_backbone(source)
        expected = backbone.input_shape[1:3]
        if any(size not in (None, self.image_size) for size in expected):
            raise ValueError(
                f"{self.weights!r} takes pictures of {expected}. "
                f"Received: image_size={self.image_size}."
            )
        return backbone, scale, offset

    def _pool(self, features: Any) -> Any:
        """Averages a feature map `(batch, h, w, dim)` or patches `(batch, patches, dim)`."""
        name = f"{self.name}_pooling"
        if len(features.shape) == 4:
            return keras.layers.GlobalAveragePooling2D(dtype="float32", name=name)(features)
        if len(features.shape) == 3:
            return keras.layers.GlobalAveragePooling1D(dtype="float32", name=name)(features)
        raise ValueError(
            "An image backbone must return a feature map or patches. "
            f"Received: {self.weights!r}, which returns shape {features.shape}."
        )

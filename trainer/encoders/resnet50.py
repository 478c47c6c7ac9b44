"""Pictures through ResNet50."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import keras
import tensorflow as tf
from keras import ops

from trainer.encoders.encoder import Encoder
from trainer.layers.perturbation import Point, pixel_point
from trainer.layers.picture_ops import decode_pictures
from trainer.layers.pretrained_backbone import PretrainedBackbone
from trainer.registry import ENCODERS
from trainer.weights.resnet50 import load_resnet50
from trainer.weights.source import resolve_weights

# Mean of ImageNet in RGB, which the published weights expect to be taken away.
_IMAGENET_MEAN = (123.68, 116.779, 103.939)


@ENCODERS.register("resnet50")
class ResNet50Encoder(Encoder):
    """Embeds a picture with `keras.applications.ResNet50`, averaged over positions.

    Embeddings `(batch, 2048)` are scaled to length 1. Batch normalisation keeps
    its statistics even when the encoder is trained.

    Args:
        name: str. Unique in a model.
        tuning, tuning_options, adapter: As for every encoder.
        weights: `"imagenet"`, a path to a `.h5` file, or `"random"`.
        image_size: int. Pictures are squashed to a square of so many pixels.

    Reference:
        He et al., 2015, arXiv:1512.03385.
    """

    modality: ClassVar[str] = "image"
    parts: ClassVar[Mapping[str, str]] = {
        "weights": ".*",
        "biases": ".*",
        "blocks": r"conv\d_block\d+",
        "kernels": ".*",
    }

    def __init__(
        self,
        name: str,
        tuning: str = "frozen",
        tuning_options: Mapping[str, Any] | None = None,
        adapter: str = "",
        weights: str = "imagenet",
        image_size: int = 224,
    ) -> None:
        super().__init__(name, tuning, tuning_options, adapter)
        if image_size < 32:
            raise ValueError(f"`image_size` must be 32 or more. Received: image_size={image_size}.")
        self.weights = weights
        self.image_size = image_size

    def input_specs(self) -> dict[str, tf.TensorSpec]:
        shape = (self.image_size, self.image_size, 3)
        return {f"{self.name}_pixels": tf.TensorSpec(shape, tf.uint8)}

    def preprocess(self, values: tf.Tensor) -> dict[str, tf.Tensor]:
        return {f"{self.name}_pixels": decode_pictures(values, self.image_size)}

    def build(self) -> keras.Model:
        backbone = load_resnet50(resolve_weights(self.weights), self.image_size)
        (key, spec), *_ = self.input_specs().items()
        pixels = keras.Input(spec.shape, dtype="uint8", name=key)
        centre = keras.layers.Rescaling(
            1.0, offset=[-mean for mean in _IMAGENET_MEAN], name=f"{self.name}_scale"
        )
        # The weights came from Caffe, which has blue first.
        features = PretrainedBackbone(
            backbone, fixed_statistics=True, name=f"{self.name}_backbone"
        )(ops.flip(centre(pixels), axis=-1))
        unit = keras.layers.UnitNormalization(dtype="float32", name=f"{self.name}_unit")
        return self._tune(keras.Model({key: pixels}, unit(features), name=self.name))

    def find_points(self, model: keras.Model) -> list[Point]:
        return [pixel_point(model.get_layer(f"{self.name}_scale"))]

"""A picture encoder of a thousand parameters, for tests."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import keras
import tensorflow as tf

from trainer.encoders.encoder import Encoder
from trainer.layers.perturbation import Point, pixel_point
from trainer.layers.picture_ops import decode_pictures
from trainer.registry import ENCODERS


@ENCODERS.register("tiny_image")
class TinyImageEncoder(Encoder):
    """Embeds a picture with two small convolutions, always drawn at random.

    Args:
        name: str. Unique in a model.
        tuning, tuning_options: As for every encoder; `"frozen"` keeps what was drawn.
        image_size: int. Pictures are squashed to a square of so many pixels.
        dim: int. Width of the embedding.
    """

    modality: ClassVar[str] = "image"
    pretrained: ClassVar[bool] = False
    parts: ClassVar[Mapping[str, str]] = {"weights": ".*", "biases": ".*"}

    def __init__(
        self,
        name: str,
        tuning: str = "full",
        tuning_options: Mapping[str, Any] | None = None,
        image_size: int = 32,
        dim: int = 16,
    ) -> None:
        super().__init__(name, tuning, tuning_options)
        self.image_size = image_size
        self.dim = dim

    def input_specs(self) -> dict[str, tf.TensorSpec]:
        shape = (self.image_size, self.image_size, 3)
        return {f"{self.name}_pixels": tf.TensorSpec(shape, tf.uint8)}

    def preprocess(self, values: tf.Tensor) -> dict[str, tf.Tensor]:
        return {f"{self.name}_pixels": decode_pictures(values, self.image_size)}

    def build(self) -> keras.Model:
        (key, spec), *_ = self.input_specs().items()
        pixels = keras.Input(spec.shape, dtype="uint8", name=key)
        x = keras.layers.Rescaling(1 / 127.5, -1.0, name=f"{self.name}_scale")(pixels)
        for index, filters in enumerate((8, self.dim)):
            x = keras.layers.Conv2D(
                filters, 3, strides=2, activation="relu", name=f"{self.name}_conv{index + 1}"
            )(x)
        pooling = keras.layers.GlobalAveragePooling2D(dtype="float32", name=f"{self.name}_pooling")
        return self._tune(keras.Model({key: pixels}, pooling(x), name=self.name))

    def find_points(self, model: keras.Model) -> list[Point]:
        return [pixel_point(model.get_layer(f"{self.name}_scale"))]

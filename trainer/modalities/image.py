"""Pictures: encoded bytes, decoded in the graph."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from PIL import Image

from trainer.data.cells import is_empty
from trainer.data.pictures import PictureError, open_picture, read_picture, write_picture
from trainer.inputs import Limits
from trainer.modalities.modality import Modality
from trainer.registry import MODALITIES

if TYPE_CHECKING:
    import tensorflow as tf


@MODALITIES.register("image")
class ImageModality(Modality):
    """Reads the first cell that is not empty: a path or encoded bytes.

    The raw value is a JPEG or PNG that `tf.io.decode_image` reads without
    error; `trainer.data.pictures.standardize` says what is converted.
    """

    kind = "image"
    dtype = "string"
    absent = b""

    def read(self, cells: Sequence[object], folder: Path) -> tuple[bytes, str]:
        cell = next((cell for cell in cells if not is_empty(cell)), None)
        if cell is None:
            return self.absent, ""
        try:
            return read_picture(cell, folder), ""
        except PictureError as error:
            return self.absent, str(error)

    def unpack(self, value: bytes) -> Image.Image:
        """Returns the pixels as RGB."""
        return open_picture(value).convert("RGB")

    def pack(self, value: Image.Image) -> bytes:
        return write_picture(value)

    def check(self, values: tf.Tensor, limits: Limits) -> tuple[tf.Tensor, tf.Tensor]:
        import tensorflow as tf

        # What is inside is checked where it is decoded (`trainer.layers.guard`), so only once.
        too_large = tf.strings.length(values) > limits.picture_bytes
        told = f"larger than {limits.picture_bytes / 2**20:.4g} MB"
        return tf.where(too_large, self.absent, values), tf.where(too_large, told, "")

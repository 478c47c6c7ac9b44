"""What every encoder of pictures does on a device, whatever network comes after."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from serving.edge.encoders.encoder import Encoder, Tensors, Values
from serving.edge.pictures.decode import decode_pictures


class PictureEncoder(Encoder):
    """Decodes pictures and squashes them to a square."""

    kind: ClassVar[str] = "image"
    defaults: ClassVar[Mapping[str, Any]] = {"image_size": 224}

    def preprocess(self, values: Values) -> Tensors:
        return {f"{self.name}_pixels": decode_pictures(values, self.options["image_size"])}

"""Pictures for the little encoder of tests."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from serving.edge.pictures.encoder import PictureEncoder
from serving.edge.registry import register


@register("tiny_image")
class TinyImageEncoder(PictureEncoder):
    """Smaller pictures."""

    defaults: ClassVar[Mapping[str, Any]] = {"image_size": 32}

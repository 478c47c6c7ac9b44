"""Pictures for any KerasHub backbone."""

from __future__ import annotations

from serving.edge.pictures.encoder import PictureEncoder
from serving.edge.registry import register


@register("image_backbone")
class ImageBackboneEncoder(PictureEncoder):
    """Pictures for a KerasHub backbone."""

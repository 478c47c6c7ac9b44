"""Pictures for ResNet50."""

from __future__ import annotations

from serving.edge.pictures.encoder import PictureEncoder
from serving.edge.registry import register


@register("resnet50")
class ResNet50Encoder(PictureEncoder):
    """Pictures for ResNet50."""

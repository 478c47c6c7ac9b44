"""Backbones and tokenizers from KerasHub presets, Hugging Face and timm folders."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from trainer.registry import unknown
from trainer.weights.packages import PACKAGES
from trainer.weights.source import WeightsSource

if TYPE_CHECKING:
    import keras

logger = logging.getLogger(__name__)


def load_backbone(source: WeightsSource, backbone: str = "Backbone") -> keras.Model:
    """Loads a KerasHub backbone with its weights.

    Args:
        source: WeightsSource of kind `"hub"` or `"folder"`.
        backbone: str. Class in `keras_hub.models`; the base class takes any.

    Raises:
        ValueError: if the source holds no preset, or one of another class.
        ConnectionError: if the hub cannot be reached or has no such preset.
    """
    import keras_hub

    cls = getattr(keras_hub.models, backbone)
    model = _from_preset(cls, source, known=cls.presets)
    logger.info(
        "Weights %r: loaded %s, %d parameters",
        source.text,
        type(model).__name__,
        model.count_params(),
    )
    return model


def load_vocabulary(source: WeightsSource) -> tuple[list[str], bool]:
    """Loads the word pieces of a BERT preset.

    Returns:
        `(vocabulary, lowercase)`: the pieces, where the index is the id; and
        whether the model was trained on lower-cased text.

    Raises:
        ValueError, ConnectionError: as `load_backbone`.
    """
    import keras_hub

    cls = keras_hub.models.BertTokenizer
    tokenizer = _from_preset(cls, source, known=cls.presets)
    return [str(piece) for piece in tokenizer.get_vocabulary()], bool(tokenizer.lowercase)


def load_pixel_scale(source: WeightsSource) -> tuple[Any, Any]:
    """Loads how an image preset normalises pixels in `[0, 255]`.

    Returns:
        `(scale, offset)`: floats, or lists of three; `pixel * scale + offset`.

    Raises:
        ValueError: if the preset does not say.
    """
    import keras_hub

    try:
        converter = keras_hub.layers.ImageConverter.from_preset(source.location)
    except (ValueError, FileNotFoundError) as error:
        raise ValueError(_no_scale(source)) from error
    if converter is None or converter.scale is None:
        raise ValueError(_no_scale(source))
    return converter.scale, 0.0 if converter.offset is None else converter.offset


def _no_scale(source: WeightsSource) -> str:
    return (
        f"An image preset says how pixels are normalised. Preset {source.text!r} does not. "
        "Save its image converter beside the backbone (`ImageConverter.save_to_preset`), "
        "or copy the whole timm folder, with `pretrained_cfg` in its config.json."
    )


def _from_preset(cls: Any, source: WeightsSource, known: dict[str, Any]) -> Any:
    if source.kind not in ("hub", "folder"):
        raise ValueError(
            f"{cls.__name__} needs a preset: a KerasHub name, a hub handle, a preset folder "
            f"or a weights package. Received: {source.text!r}, which is of kind {source.kind!r}."
        )
    if source.kind == "folder":
        try:
            return cls.from_preset(source.location)
        except Exception as error:
            raise ValueError(
                f"{cls.__name__} could not be loaded from the folder {source.location}: {error}"
            ) from error
    if "://" not in source.location and source.location not in known:
        raise ValueError(unknown(f"{cls.__name__} preset", source.location, known))
    try:
        return cls.from_preset(source.location)
    # Each hub's client raises its own kinds; KerasHub turns some into ValueError.
    except Exception as error:
        local = ", ".join(f"'package:{name}'" for name in PACKAGES)
        raise ConnectionError(
            f"Weights {source.text!r} could not be fetched from their hub: {error}. "
            "Check the handle, the network and the permissions; or use what needs no hub: "
            f"a local preset folder, {local}, or 'random' to train from nothing."
        ) from error

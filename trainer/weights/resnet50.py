"""ResNet50 of keras.applications, with the ImageNet weights that Keras publishes."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from trainer.weights.source import WeightsSource

if TYPE_CHECKING:
    import keras

logger = logging.getLogger(__name__)

NOTOP_FILE = "resnet50_weights_tf_dim_ordering_tf_kernels_notop.h5"


def load_resnet50(source: WeightsSource, image_size: int) -> keras.Model:
    """Builds ResNet50 without its classifier, pooled by averaging.

    Args:
        source: WeightsSource of kind `"imagenet"` (Keras downloads it once and
            verifies it), `"file"` (`.h5` as Keras publishes it, with or
            without the classifier, or Keras 3's `.weights.h5`) or `"random"`.
        image_size: int. Height and width in pixels.

    Returns:
        Model from float pixels `(batch, image_size, image_size, 3)`, BGR and
        without their mean, to `(batch, 2048)`.

    Raises:
        ValueError: if the source is of another kind or holds other layers.
        ConnectionError: if the weights cannot be downloaded.
    """
    import keras

    if source.kind not in ("imagenet", "file", "random"):
        raise ValueError(
            "ResNet50 takes 'imagenet', a '.h5' file or 'random'. "
            f"Received: weights={source.text!r}. For presets use the encoder 'image_backbone'."
        )
    model = keras.applications.ResNet50(
        include_top=False,
        weights=None,
        input_shape=(image_size, image_size, 3),
        pooling="avg",
    )
    if source.kind == "imagenet":
        _load_file(model, _download())
    elif source.kind == "file":
        _load_file(model, source.location)
    how = "drawn at random, as asked for" if source.kind == "random" else "loaded"
    logger.info("Weights %r: ResNet50, %d parameters %s", source.text, model.count_params(), how)
    return model


def _download() -> str:
    import keras

    try:
        # The address and checksum of keras.applications, which keeps them private.
        return keras.utils.get_file(
            NOTOP_FILE,
            f"https://storage.googleapis.com/tensorflow/keras-applications/resnet/{NOTOP_FILE}",
            cache_subdir="models",
            file_hash="4d473c1dd8becc155b73f8504c6f6626",
        )
    except Exception as error:
        raise ConnectionError(
            f"Weights 'imagenet' could not be downloaded: {error}. Fetch {NOTOP_FILE} on a machine "
            "that has network and give its path, use the encoder 'image_backbone' with "
            "'package:efficientnet-lite0', or 'random' to train from nothing."
        ) from error


def _load_file(model: keras.Model, path: str) -> None:
    try:
        # By name where the names agree, so that a file with the classifier serves too; by order,
        # as Keras itself does, where they do not. Either way Keras checks counts and shapes.
        if _names_agree(model, path):
            model.load_weights(path, by_name=True)
        else:
            model.load_weights(path)
    except (ValueError, OSError) as error:
        raise ValueError(
            f"Expected ResNet50 weights as Keras saves them, such as {NOTOP_FILE}. "
            f"Received: {path}, where: {error}"
        ) from error


def _names_agree(model: keras.Model, path: str) -> bool:
    """Says whether a file in Keras' older format has every layer of the model."""
    import h5py

    with h5py.File(path, "r") as file:
        names = file.get("model_weights", file).attrs.get("layer_names", [])
        found = {n.decode() if isinstance(n, bytes) else str(n) for n in names}
    return all(layer.name in found for layer in model.layers if layer.weights)

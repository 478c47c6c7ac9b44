"""Pictures from bytes to pixels, in graph operations: the same in tf.data and in the export."""

from __future__ import annotations

from collections.abc import Callable

import tensorflow as tf

from trainer.layers.guard import Guard, current_guard
from trainer.layers.guarded_map import map_guarded
from trainer.layers.picture_header import (
    BROKEN,
    FINE,
    JPEG,
    find_fault,
    find_jpeg_fault,
    tell_faults,
)

# A JPEG can be decoded at a fraction of its size, in less time and without aliasing.
_FRACTIONS = (1, 2, 4, 8)
# Transparent pictures of more are thinned out before their colours are mixed, which takes 30
# bytes a pixel. Those of tables never are: they were made smaller, and are not transparent.
_MIXED_PIXELS = 4_000_000


def decode_pictures(values: tf.Tensor, image_size: int) -> tf.Tensor:
    """Decodes pictures and squashes them to a square.

    Takes JPEG (also CMYK), PNG, GIF (first frame), BMP and WebP. Transparency
    is shown on white, as a shop's page shows it. EXIF rotation is not applied.

    Args:
        values: string tensor `(batch,)`, the bytes of picture files; `b""` where
            there is none.
        image_size: int. Height and width of the result in pixels.

    Returns:
        uint8 tensor `(batch, image_size, image_size, 3)`, RGB; zeros where there
        is no picture. Under a guard, which is told why (`trainer.layers.guard`),
        zeros also where one cannot be decoded, or not without danger.

    Raises:
        tf.errors.InvalidArgumentError: when run without a guard, if bytes cannot
            be decoded. Tables are checked row by row before (`Modality.read`).
    """
    guard = current_guard()
    if guard is not None:
        return _decode_guarded(values, image_size, guard)

    def decode(value: tf.Tensor) -> tf.Tensor:
        return tf.cond(
            tf.equal(value, b""),
            lambda: _blank(image_size),
            lambda: tf.cond(
                _is_jpeg(value),
                lambda: _decode_jpeg(value, image_size),
                lambda: _decode_other(value, image_size),
            ),
        )

    spec = tf.TensorSpec((image_size, image_size, 3), tf.uint8)
    return tf.ensure_shape(tf.map_fn(decode, values, fn_output_signature=spec), (None, *spec.shape))


def _decode_guarded(values: tf.Tensor, image_size: int, guard: Guard) -> tf.Tensor:
    """Decodes what is safe to be decoded, and tells the guard what is not."""
    max_pixels = guard.limits.picture_pixels
    fine = tf.constant(FINE)

    def decode_if(
        fault: tf.Tensor, decode: Callable[[tf.Tensor, int], tf.Tensor], value: tf.Tensor
    ) -> tuple[tf.Tensor, tf.Tensor]:
        picture = tf.cond(
            tf.equal(fault, FINE), lambda: decode(value, image_size), lambda: _blank(image_size)
        )
        return picture, fault

    def decode(value: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        return tf.cond(
            tf.equal(value, b""),
            lambda: (_blank(image_size), fine),
            lambda: tf.cond(
                _is_jpeg(value),
                lambda: decode_if(find_jpeg_fault(value, max_pixels), _decode_jpeg, value),
                lambda: decode_if(find_fault(value, max_pixels), _decode_other, value),
            ),
        )

    blank = (_blank(image_size), tf.constant(BROKEN))
    pictures, faults = map_guarded(decode, values, blank)
    guard.problems.append(tell_faults(faults, max_pixels))
    return pictures


def _blank(image_size: int) -> tf.Tensor:
    return tf.zeros((image_size, image_size, 3), tf.uint8)


def _is_jpeg(value: tf.Tensor) -> tf.Tensor:
    return tf.equal(tf.strings.substr(value, 0, len(JPEG)), JPEG)


def _decode_jpeg(value: tf.Tensor, image_size: int) -> tf.Tensor:
    """Decodes a JPEG at the smallest fraction that is no smaller than the result."""
    shorter_side = tf.reduce_min(tf.io.extract_jpeg_shape(value)[:2])
    fits = [tf.cast(shorter_side >= fraction * image_size, tf.int32) for fraction in _FRACTIONS[1:]]
    branches = [
        lambda fraction=fraction: tf.io.decode_jpeg(value, channels=3, ratio=fraction)
        for fraction in _FRACTIONS
    ]
    return _squash(tf.switch_case(tf.add_n(fits), branches), image_size)


def _decode_other(value: tf.Tensor, image_size: int) -> tf.Tensor:
    """Makes three channels of one (grey), two (grey and alpha), three or four (with alpha)."""
    picture = tf.io.decode_image(value, channels=0, expand_animations=False)
    picture = tf.ensure_shape(picture, (None, None, None))
    channels = tf.shape(picture)[-1]
    has_alpha = tf.equal(channels % 2, 0)
    squashed = tf.cond(
        has_alpha,
        lambda: _squash(_put_on_white(picture), image_size),
        lambda: _squash(picture, image_size),
    )
    return tf.broadcast_to(squashed, (image_size, image_size, 3))


def _put_on_white(picture: tf.Tensor) -> tf.Tensor:
    """Returns float32 `(height, width, channels - 1)` in `[0, 255]`."""
    pixels = tf.cast(tf.reduce_prod(tf.shape(picture, tf.int64)[:2]), tf.float32)
    step = tf.cast(tf.math.ceil(tf.sqrt(pixels / _MIXED_PIXELS)), tf.int32)
    thinned = tf.ensure_shape(picture[::step, ::step], (None, None, None))
    picture = tf.cast(thinned, tf.float32)
    alpha = picture[..., -1:] / 255.0
    return picture[..., :-1] * alpha + 255.0 * (1.0 - alpha)


def _squash(picture: tf.Tensor, image_size: int) -> tf.Tensor:
    # No antialias: on shop pictures it changes little and costs more than the decoding itself.
    size = (image_size, image_size)
    resized = tf.image.resize(picture, size, method="bilinear", antialias=False)
    return tf.cast(resized + 0.5, tf.uint8)  # rounds

"""Pictures from bytes to pixels, in graph operations: the same in tf.data and in the export."""

from __future__ import annotations

import tensorflow as tf

_JPEG = b"\xff\xd8\xff"
# A JPEG can be decoded at a fraction of its size, in less time and without aliasing.
_FRACTIONS = (1, 2, 4, 8)


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
        is no picture.

    Raises:
        tf.errors.InvalidArgumentError: when run, if bytes cannot be decoded.
            Graph operations cannot go on after an error, so tables are checked
            row by row before (`Modality.read`).
    """
    square = (image_size, image_size, 3)

    def decode(value: tf.Tensor) -> tf.Tensor:
        return tf.cond(
            tf.equal(value, b""),
            lambda: tf.zeros(square, tf.uint8),
            lambda: _squash(_decode(value, image_size), image_size),
        )

    pictures = tf.map_fn(decode, values, fn_output_signature=tf.TensorSpec(square, tf.uint8))
    return tf.ensure_shape(pictures, (None, *square))


def _decode(value: tf.Tensor, image_size: int) -> tf.Tensor:
    """Returns float32 `(height, width, 3)` in `[0, 255]`."""
    is_jpeg = tf.equal(tf.strings.substr(value, 0, len(_JPEG)), _JPEG)
    picture = tf.cond(
        is_jpeg, lambda: _decode_jpeg(value, image_size), lambda: _decode_other(value)
    )
    return tf.ensure_shape(picture, (None, None, 3))


def _decode_jpeg(value: tf.Tensor, image_size: int) -> tf.Tensor:
    """Decodes a JPEG at the smallest fraction that is no smaller than the result."""
    shorter_side = tf.reduce_min(tf.io.extract_jpeg_shape(value)[:2])
    fits = [tf.cast(shorter_side >= fraction * image_size, tf.int32) for fraction in _FRACTIONS[1:]]
    branches = [
        lambda fraction=fraction: tf.io.decode_jpeg(value, channels=3, ratio=fraction)
        for fraction in _FRACTIONS
    ]
    return tf.cast(tf.switch_case(tf.add_n(fits), branches), tf.float32)


def _decode_other(value: tf.Tensor) -> tf.Tensor:
    """Makes three channels of one (grey), two (grey and alpha), three or four (with alpha)."""
    picture = tf.io.decode_image(value, channels=0, expand_animations=False)
    channels = tf.shape(picture)[-1]
    picture = tf.cast(picture, tf.float32)
    has_alpha = tf.equal(channels % 2, 0)
    alpha = tf.where(has_alpha, picture[..., -1:] / 255.0, 1.0)
    colour = picture[..., : channels - tf.cast(has_alpha, tf.int32)]
    on_white = colour * alpha + 255.0 * (1.0 - alpha)
    return tf.broadcast_to(on_white, tf.concat([tf.shape(picture)[:-1], [3]], axis=0))


def _squash(picture: tf.Tensor, image_size: int) -> tf.Tensor:
    # No antialias: on shop pictures it changes little and costs more than the decoding itself.
    size = (image_size, image_size)
    resized = tf.image.resize(picture, size, method="bilinear", antialias=False)
    return tf.cast(resized + 0.5, tf.uint8)  # rounds

"""What a picture's first bytes tell of it, in graph operations: before anything is decoded."""

from __future__ import annotations

import tensorflow as tf

FINE, BROKEN, TOO_MANY_PIXELS, ANIMATED = range(4)
"""What is wrong with a picture."""

JPEG = b"\xff\xd8\xff"
_PNG, _BMP, _GIF = b"\x89PNG\r\n\x1a\n", b"BM", b"GIF8"
_START_OF_SCAN = b"\xff\xda"
_MAX_SCANS = 100  # Progressive files have about ten.
_SAFE_WORK = 10**10
_HEADER = 32
_HAS_ANIMATION, _VP8_SIDE = 2, 2**14


def tell_faults(faults: tf.Tensor, max_pixels: int) -> tf.Tensor:
    """Returns int32 faults in words, string of the same shape; `""` of what is fine."""
    told = {
        FINE: "",
        BROKEN: "not a picture that can be decoded",
        TOO_MANY_PIXELS: f"more than {max_pixels / 1e6:.4g} megapixels",
        ANIMATED: "GIF and animated pictures are not decoded here; send JPEG or PNG",
    }
    return tf.gather([told[fault] for fault in range(len(told))], faults)


def find_jpeg_fault(value: tf.Tensor, max_pixels: int) -> tf.Tensor:
    """Says what is wrong with a JPEG.

    Args:
        value: string scalar that begins with `JPEG`.
        max_pixels: int.

    Returns:
        int32 scalar, one of the faults of this module.

    Raises:
        tf.errors.InvalidArgumentError: when run, if it has no sound header.
    """
    pixels = tf.reduce_prod(tf.cast(tf.io.extract_jpeg_shape(value)[:2], tf.int64))
    length = tf.cast(tf.strings.length(value), tf.int64)
    # A file of many scans goes over the whole picture again for a few bytes each. Looked for only
    # where that could take more than about a second.
    is_bomb = tf.cond(
        pixels * length > _SAFE_WORK,
        lambda: tf.size(tf.strings.split(value, _START_OF_SCAN)) > _MAX_SCANS,
        lambda: False,
    )
    fault = tf.where(pixels > max_pixels, TOO_MANY_PIXELS, FINE)
    return tf.where(is_bomb, BROKEN, fault)


def find_fault(value: tf.Tensor, max_pixels: int) -> tf.Tensor:
    """Says what is wrong with a PNG, BMP or WebP, as far as its header shows.

    An animated picture is a fault: TensorFlow decodes all of its frames, of any
    number and size, to give the first; those of a WebP it writes past the end
    of its memory.

    Args:
        value: string scalar.
        max_pixels: int.

    Returns:
        int32 scalar, one of the faults of this module.
    """
    header = tf.io.decode_raw(tf.strings.substr(value, 0, _HEADER), tf.uint8, fixed_length=_HEADER)
    numbers = tf.cast(header, tf.int64)

    def read(*places: int) -> tf.Tensor:
        """Joins bytes to a number, the lowest first."""
        return tf.add_n([numbers[place] * 256**index for index, place in enumerate(places)])

    def starts(signature: bytes, at: int = 0) -> tf.Tensor:
        return tf.equal(tf.strings.substr(value, at, len(signature)), signature)

    is_webp = starts(b"RIFF") & starts(b"WEBP", 8)
    is_extended, is_lossless = is_webp & starts(b"VP8X", 12), is_webp & starts(b"VP8L", 12)
    packed = read(21, 22, 23, 24)
    height = read(22, 23, 24, 25)  # of a BMP: below 0 where the first row is the top one
    forms = [
        (starts(_PNG), read(19, 18, 17, 16), read(23, 22, 21, 20)),
        (starts(_BMP), read(18, 19, 20, 21), tf.minimum(height, 2**32 - height)),
        (is_extended, read(24, 25, 26) + 1, read(27, 28, 29) + 1),
        (is_lossless, packed % _VP8_SIDE + 1, packed // _VP8_SIDE % _VP8_SIDE + 1),
        (is_webp & starts(b"VP8 ", 12), read(26, 27) % _VP8_SIDE, read(28, 29) % _VP8_SIDE),
    ]
    fault = tf.constant(BROKEN)
    for is_form, width, height in forms:
        found = tf.where(width > max_pixels // tf.maximum(height, 1), TOO_MANY_PIXELS, FINE)
        fault = tf.where(is_form, found, fault)
    is_animated = is_extended & (numbers[20] // _HAS_ANIMATION % 2 > 0)
    return tf.where(starts(_GIF) | is_animated, ANIMATED, fault)

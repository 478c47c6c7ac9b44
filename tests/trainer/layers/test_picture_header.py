"""Pictures that would end a server, or only a batch, under the guard of the export."""

import io
import struct
import zlib

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from trainer.inputs import Limits
from trainer.layers.guard import guarded
from trainer.layers.picture_ops import decode_pictures

LIMITS = Limits(picture_bytes=2**20, picture_pixels=1_000_000, text_characters=100)
SIZE = 16
NO_PICTURE = b"not a picture that can be decoded"
TOO_MANY = b"more than 1 megapixels"
ANIMATED = b"GIF and animated pictures are not decoded here; send JPEG or PNG"


def encode(picture, form, **options):
    buffer = io.BytesIO()
    picture.save(buffer, form, **options)
    return buffer.getvalue()


def draw(mode="RGB", size=(60, 40)):
    pixels = np.random.default_rng(0).integers(0, 256, (5, 5, 3)).astype(np.uint8)
    return Image.fromarray(pixels).resize(size).convert(mode)


def claim_png(width, height):
    """Returns a PNG of a few bytes whose header says that it is so large."""

    def chunk(kind, content):
        crc = struct.pack(">I", zlib.crc32(kind + content))
        return struct.pack(">I", len(content)) + kind + content + crc

    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b"")


def repeat_last_scan(times):
    whole = encode(draw(size=(900, 900)), "JPEG", progressive=True)
    last = whole.rindex(b"\xff\xda")
    return whole[:-2] + whole[last:-2] * times + whole[-2:]


GOOD = {
    "jpeg": encode(draw(), "JPEG"),
    "progressive": encode(draw(), "JPEG", progressive=True),
    "cmyk": encode(draw("CMYK"), "JPEG"),
    "large jpeg": encode(draw(size=(300, 200)), "JPEG"),
    "png": encode(draw(), "PNG"),
    "grey png": encode(draw("L"), "PNG"),
    "transparent png": encode(draw("RGBA"), "PNG"),
    "palette": encode(draw("P"), "PNG"),
    "bmp": encode(draw(), "BMP"),
    "webp": encode(draw(), "WEBP"),
    "lossless webp": encode(draw(), "WEBP", lossless=True),
    "extended webp": encode(draw(), "WEBP", exif=b"Exif\0\0II"),
}
WEBP = GOOD["extended webp"]
BAD = {
    "truncated jpeg": (GOOD["jpeg"][:-200], NO_PICTURE),
    "no jpeg": (b"\xff\xd8\xff\xe0 and so on", NO_PICTURE),
    "truncated png": (GOOD["png"][:-40], NO_PICTURE),
    "broken png": (GOOD["png"][:60] + b"\0\0\0\0" + GOOD["png"][64:], NO_PICTURE),
    "text": (b"a letter\n" * 50, NO_PICTURE),
    "one byte": (b"\xff", NO_PICTURE),
    "tiff": (encode(draw(), "TIFF"), NO_PICTURE),
    "gif": (encode(draw(), "GIF"), ANIMATED),
    "animated webp": (
        encode(draw(), "WEBP", save_all=True, append_images=[draw().rotate(90)]),
        ANIMATED,
    ),
    "large png": (claim_png(30_000, 30_000), TOO_MANY),
    "largest png": (claim_png(2**31 - 1, 2**31 - 1), TOO_MANY),
    "large jpeg": (encode(Image.new("L", (1001, 1000)), "JPEG"), TOO_MANY),
    "large bmp": (encode(Image.new("L", (1001, 1000)), "BMP"), TOO_MANY),
    "upside down bmp": (
        GOOD["bmp"][:18] + struct.pack("<ii", 2000, -2000) + GOOD["bmp"][26:],
        TOO_MANY,
    ),
    "large webp": (encode(Image.new("RGB", (1001, 1000)), "WEBP"), TOO_MANY),
    "large lossless webp": (
        encode(Image.new("RGB", (1001, 1000)), "WEBP", lossless=True),
        TOO_MANY,
    ),
    "large extended webp": (WEBP[:24] + b"\xff\xff\xff" * 2 + WEBP[30:], TOO_MANY),
    "scan bomb": (repeat_last_scan(3000), NO_PICTURE),
}


@tf.function(input_signature=[tf.TensorSpec([None], tf.string)], autograph=False)
def decode(values):
    with guarded(LIMITS) as guard:
        pictures = decode_pictures(values, SIZE)
    (problems,) = guard.problems
    return pictures, problems


def test_good_pictures_are_those_of_training_to_the_last_bit():
    pictures, problems = decode(tf.constant(list(GOOD.values())))
    assert set(problems.numpy()) == {b""}
    expected = decode_pictures(tf.constant(list(GOOD.values())), SIZE)
    np.testing.assert_array_equal(pictures, expected)
    assert np.ptp(pictures, axis=(1, 2, 3)).min() > 20


@pytest.mark.parametrize("name", BAD)
def test_says_what_is_wrong_and_leaves_the_others_as_they_are(name):
    value, expected = BAD[name]
    pictures, problems = decode(tf.constant([GOOD["jpeg"], value, b"", GOOD["png"]]))
    assert problems.numpy().tolist() == [b"", expected, b"", b""]
    assert not pictures[1].numpy().any()
    alone, _ = decode(tf.constant([GOOD["jpeg"], GOOD["png"]]))
    np.testing.assert_array_equal(tf.gather(pictures, [0, 3]), alone)


def test_all_of_a_batch_may_be_broken():
    pictures, problems = decode(tf.constant([value for value, _ in BAD.values()]))
    assert problems.numpy().tolist() == [expected for _, expected in BAD.values()]
    assert not pictures.numpy().any()


def test_no_change_of_a_few_bytes_ends_the_batch():
    rng = np.random.default_rng(0)
    seeds = [*GOOD.values(), BAD["gif"][0], BAD["animated webp"][0]]
    whole, _ = decode(tf.constant([GOOD["jpeg"]]))
    refused = 0
    for _ in range(12):
        batch = [GOOD["jpeg"]]
        for seed in seeds:
            value = bytearray(seed)
            for place in rng.integers(0, min(len(value), rng.choice([40, 10_000])), 2):
                value[place] = rng.integers(256)
            length = rng.integers(len(value)) if rng.random() < 0.3 else len(value)
            batch.append(bytes(value[:length]))
        pictures, problems = decode(tf.constant(batch))
        np.testing.assert_array_equal(pictures[0], whole[0])
        refused += np.count_nonzero(problems.numpy() != b"")
    assert 40 < refused < 11 * len(seeds)

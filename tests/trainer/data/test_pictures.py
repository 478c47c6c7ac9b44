import io
import struct
import zlib

import numpy as np
import pytest
from PIL import Image

from trainer.data import pictures
from trainer.data.pictures import PictureError, read_picture, standardize


def _photo(mode="RGB", size=(60, 40)):
    """A picture with gradients and detail, different in each corner."""
    y, x = np.mgrid[0 : size[1], 0 : size[0]]
    pixels = np.stack([x * 255 // size[0], y * 255 // size[1], (x * y) % 256], axis=-1)
    return Image.fromarray(pixels.astype(np.uint8)).convert(mode)


def _encode(image, kind, **options):
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def _pixels(encoded):
    return np.asarray(Image.open(io.BytesIO(encoded)).convert("RGB")).astype(int)


@pytest.mark.parametrize(
    ("mode", "kind", "options"),
    [
        ("RGB", "JPEG", {}),
        ("L", "JPEG", {}),
        ("RGB", "JPEG", {"progressive": True}),
        ("RGB", "PNG", {}),
        ("L", "PNG", {}),
    ],
)
def test_plain_pictures_pass_through_unchanged(mode, kind, options):
    encoded = _encode(_photo(mode), kind, **options)
    assert standardize(encoded) == encoded
    assert standardize(encoded + b"what cameras append") == encoded + b"what cameras append"


@pytest.mark.parametrize(
    ("mode", "kind", "options"),
    [
        ("P", "PNG", {}),
        ("1", "PNG", {}),
        ("RGB", "WEBP", {"lossless": True}),
        ("RGB", "TIFF", {}),
        ("P", "GIF", {}),
        ("RGB", "BMP", {}),
    ],
)
def test_others_become_png_with_the_same_pixels(mode, kind, options):
    image = _photo(mode)
    made = standardize(_encode(image, kind, **options))
    assert Image.open(io.BytesIO(made)).format == "PNG"
    assert Image.open(io.BytesIO(made)).mode == "RGB"
    np.testing.assert_array_equal(_pixels(made), np.asarray(image.convert("RGB")))


def test_cmyk_jpeg_keeps_its_colours():
    image = _photo("CMYK")
    made = _pixels(standardize(_encode(image, "JPEG", quality=100)))
    assert np.abs(made - np.asarray(image.convert("RGB"), dtype=int)).mean() < 4


def test_transparency_lies_over_white():
    image = Image.new("RGBA", (2, 1), (200, 100, 0, 0))
    image.putpixel((1, 0), (200, 100, 0, 128))
    expected = [255, 255, 255], [227, 177, 127]
    for kind in ("PNG", "WEBP"):
        made = _pixels(standardize(_encode(image, kind, lossless=True)))
        np.testing.assert_allclose(made[0], expected, atol=1)
    palette = Image.new("P", (1, 1), 0)
    made = standardize(_encode(palette, "PNG", transparency=0))
    np.testing.assert_array_equal(_pixels(made), [[[255, 255, 255]]])
    # Without an alpha channel one colour may be declared transparent.
    made = standardize(_encode(Image.new("RGB", (1, 1), "red"), "PNG", transparency=(255, 0, 0)))
    np.testing.assert_array_equal(_pixels(made), [[[255, 255, 255]]])


def test_sixteen_bits_become_eight():
    grey = Image.fromarray(np.array([[0, 32768, 65535]], dtype=np.uint16))
    made = _pixels(standardize(_encode(grey, "PNG")))
    np.testing.assert_array_equal(made[0, :, 0], [0, 128, 255])
    # Pillow writes no 16-bit colour: two pixels by hand.
    lines = b"\0" + struct.pack(">6H", 65535, 0, 0, 0, 32768, 65535)
    parts = [(b"IHDR", struct.pack(">2I5B", 2, 1, 16, 2, 0, 0, 0)), (b"IDAT", zlib.compress(lines))]
    chunks = [
        struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
        for name, data in [*parts, (b"IEND", b"")]
    ]
    made = standardize(b"\x89PNG\r\n\x1a\n" + b"".join(chunks))
    assert made[24] == 8
    np.testing.assert_array_equal(_pixels(made), [[[255, 0, 0], [0, 128, 255]]])


def test_the_first_frame_of_an_animation():
    frames = [Image.new("RGB", (4, 4), colour) for colour in ("red", "blue")]
    for kind in ("GIF", "PNG", "WEBP"):
        options = {"lossless": True} if kind == "WEBP" else {}
        encoded = _encode(frames[0], kind, save_all=True, append_images=frames[1:], **options)
        made = standardize(encoded)
        assert made != encoded
        np.testing.assert_allclose(_pixels(made)[0, 0], [255, 0, 0], atol=2)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "TIFF", "WEBP"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_pictures_are_set_upright(kind, orientation):
    image = Image.new("RGB", (24, 16), "black")
    image.paste("red", (0, 0, 12, 8))
    exif = Image.Exif()
    exif[0x0112] = orientation
    options = {"quality": 95, "subsampling": 0} if kind == "JPEG" else {}
    encoded = _encode(image, kind, exif=exif, **options)
    made = _pixels(standardize(encoded))
    # Where EXIF says that the corner at row 0, column 0 belongs.
    bottom, right = orientation in (3, 4, 7, 8), orientation in (2, 3, 6, 7)
    assert made.shape[:2] == ((16, 24) if orientation < 5 else (24, 16))
    corner = made[-1 if bottom else 0, -1 if right else 0]
    np.testing.assert_allclose(corner, [254, 0, 0], atol=3)
    assert (made[..., 0] > 128).mean() == pytest.approx(0.25)
    assert Image.open(io.BytesIO(standardize(encoded))).getexif().get(0x0112, 1) == 1


def test_large_pictures_are_reduced(monkeypatch):
    monkeypatch.setattr(pictures, "KEPT_PIXELS", 600)
    image = _photo(size=(60, 40))
    for kind in ("JPEG", "PNG"):
        made = Image.open(io.BytesIO(standardize(_encode(image, kind, quality=95))))
        assert (made.format, made.size) == (kind, (30, 20))
        expected = image.resize((30, 20), Image.Resampling.BOX)
        assert np.abs(np.asarray(made, int) - np.asarray(expected, int)).mean() < 20


def _png_header(width, height):
    header = struct.pack(">2I5B", width, height, 8, 2, 0, 0, 0)
    chunk = b"IHDR" + header
    return (
        b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + chunk + struct.pack(">I", zlib.crc32(chunk))
    )


@pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")
@pytest.mark.parametrize(("width", "height"), [(20_000, 20_000), (10_000, 10_000), (8_001, 8_000)])
def test_bombs_are_refused_from_their_header(width, height):
    with pytest.raises(PictureError, match="too many pixels"):
        standardize(_png_header(width, height) + b"\0\0\0\0IDAT")


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "GIF", "TIFF", "WEBP"])
@pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
def test_truncated_files_are_found(kind, share):
    encoded = _encode(_photo("RGB" if kind != "GIF" else "P", (200, 150)), kind)
    with pytest.raises(PictureError, match=r"truncated or broken|not a picture"):
        standardize(encoded[: int(share * len(encoded))])


def test_a_file_without_its_last_bytes_is_made_whole():
    # Pillow forgives this where all pixels are there; TensorFlow would not.
    encoded = _encode(_photo(), "PNG")
    made = standardize(encoded[:-2])
    assert Image.open(io.BytesIO(made)).format == "PNG"
    np.testing.assert_array_equal(_pixels(made), _pixels(encoded))


@pytest.mark.parametrize(
    ("encoded", "message"),
    [
        (b"", "^empty file$"),
        (b"\xff\xd8\xff", "^truncated or broken$"),
        (b"<html>404</html>", "^not a picture$"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 10 10\n", "known format .EPS"),
    ],
)
def test_what_is_no_picture(encoded, message):
    with pytest.raises(PictureError, match=message):
        standardize(encoded)


def test_paths_and_bytes(tmp_path):
    encoded = _encode(_photo(), "JPEG")
    folder = tmp_path / "图 片"
    folder.mkdir()
    (folder / "a b.JPG").write_bytes(encoded)
    assert read_picture("图 片/a b.JPG", tmp_path) == encoded
    assert read_picture(" 图 片\\a b.JPG ", tmp_path) == encoded
    assert read_picture(str(folder / "a b.JPG"), tmp_path / "elsewhere") == encoded
    assert read_picture(folder / "a b.JPG", tmp_path) == encoded
    assert read_picture(encoded, tmp_path) == encoded
    assert read_picture(memoryview(encoded), tmp_path) == encoded


@pytest.mark.parametrize(
    ("cell", "clause"),
    [
        ("7.jpg", "file not found: 7.jpg"),
        (".", "not a file: ."),
        ("empty.jpg", "empty file: empty.jpg"),
        ("broken.jpg", "truncated or broken: broken.jpg"),
        ("page.jpg", "not a picture: page.jpg"),
        ("https://x.org/7.jpg", "https://x.org/7.jpg is a URL; download pictures first"),
        ("file:///7.jpg", "file:///7.jpg is a URL; give a path"),
        ("huge.png", "larger than 64 MB: huge.png"),
        (b"abc", "not a picture: 3 bytes in the cell"),
        ("a\0\n\ud800", "file not found: a???"),
        (7, "file not found: 7"),
    ],
)
def test_what_was_wrong_in_a_clause(tmp_path, cell, clause):
    (tmp_path / "empty.jpg").touch()
    (tmp_path / "broken.jpg").write_bytes(_encode(_photo(), "JPEG")[:600])
    (tmp_path / "page.jpg").write_text("<html>")
    with (tmp_path / "huge.png").open("wb") as file:
        file.truncate(pictures.MAX_FILE_BYTES + 1)
    with pytest.raises(PictureError) as error:
        read_picture(cell, tmp_path)
    assert str(error.value) == clause


def test_a_path_too_long_for_the_disk(tmp_path):
    with pytest.raises(PictureError, match=r"cannot be read \(File name too long\): x{77}\.\.\.$"):
        read_picture("x" * 5000, tmp_path)

import io

import pytest
from PIL import Image

from trainer.modalities.image import ImageModality


def _encode(mode, kind):
    buffer = io.BytesIO()
    Image.new(mode, (5, 4)).save(buffer, kind)
    return buffer.getvalue()


def test_a_file_or_bytes(tmp_path):
    encoded = _encode("RGB", "PNG")
    (tmp_path / "a.png").write_bytes(encoded)
    assert ImageModality().read(["a.png"], tmp_path) == (encoded, "")
    assert ImageModality().read([None, encoded], tmp_path) == (encoded, "")


def test_converted_without_a_problem(tmp_path):
    value, problem = ImageModality().read([_encode("CMYK", "JPEG")], tmp_path)
    assert value.startswith(b"\x89PNG")
    assert problem == ""


@pytest.mark.parametrize("cell", [None, "", float("nan"), b""])
def test_absent_without_a_problem(tmp_path, cell):
    assert ImageModality().read([cell], tmp_path) == (b"", "")


def test_absent_with_a_problem(tmp_path):
    assert ImageModality().read(["7.jpg"], tmp_path) == (b"", "file not found: 7.jpg")
    assert ImageModality().read(["http://x/7.jpg"], tmp_path) == (
        b"",
        "http://x/7.jpg is a URL; download pictures first",
    )

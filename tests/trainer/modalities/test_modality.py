"""What every registered modality promises; a new file is tested unasked."""

import io
import math

import numpy as np
import pytest
from PIL import Image

from trainer.registry import MODALITIES

UGLY = [
    None,
    "",
    " ",
    float("nan"),
    3,
    "\ud800",
    "\0",
    "a\nb",
    b"\xff",
    [1],
    {},
    "x" * 100_000,
    True,
]


@pytest.mark.parametrize("name", MODALITIES.names())
@pytest.mark.parametrize("cell", UGLY, ids=lambda cell: repr(cell)[:12])
def test_read_never_raises_and_keeps_its_type(name, cell, tmp_path):
    modality = MODALITIES.get(name)()
    value, problem = modality.read([cell], tmp_path)
    assert isinstance(value, {"string": bytes, "float32": float}[modality.dtype])
    assert isinstance(problem, str)
    assert "\n" not in problem
    problem.encode("utf-8")


@pytest.mark.parametrize("name", MODALITIES.names())
@pytest.mark.parametrize("cells", [[], [None], [""], [float("nan")]], ids=str)
def test_empty_cells_are_absent_without_a_problem(name, cells, tmp_path):
    modality = MODALITIES.get(name)()
    value, problem = modality.read(cells, tmp_path)
    assert value == modality.absent or (math.isnan(value) and math.isnan(modality.absent))
    assert problem == ""
    assert modality.kind == name


def test_present_eagerly_and_in_a_graph():
    import tensorflow as tf

    for name in MODALITIES.names():
        modality = MODALITIES.get(name)()
        some = b"x" if modality.dtype == "string" else 0.0
        values = tf.constant([some, modality.absent, some], dtype=modality.dtype)
        for present in (modality.present, tf.function(modality.present)):
            np.testing.assert_array_equal(present(values), [True, False, True])


def test_tensorflow_decodes_what_image_reads(tmp_path):
    import tensorflow as tf

    pixels = np.random.default_rng(0).integers(0, 256, (30, 40, 3)).astype(np.uint8)
    image = Image.fromarray(pixels).resize((300, 200))
    cells = []
    for mode, kind in [
        ("RGB", "JPEG"),
        ("L", "JPEG"),
        ("CMYK", "JPEG"),
        ("RGB", "PNG"),
        ("L", "PNG"),
        ("RGBA", "PNG"),
        ("P", "GIF"),
        ("RGB", "WEBP"),
        ("RGB", "TIFF"),
    ]:
        buffer = io.BytesIO()
        image.convert(mode).save(buffer, kind)
        # Nor must a few lost bytes at the end stop a batch.
        cells += [buffer.getvalue(), buffer.getvalue()[:-1], buffer.getvalue()[:-3]]
    num_read = 0
    for cell in cells:
        value, problem = MODALITIES.get("image")().read([cell], tmp_path)
        assert bool(value) != bool(problem)
        if value:
            decoded = tf.io.decode_image(value, channels=3, expand_animations=False).numpy()
            expected = np.asarray(Image.open(io.BytesIO(value)).convert("RGB"))
            # Decoders of JPEG round differently.
            np.testing.assert_allclose(decoded.astype(int), expected, atol=8)
            assert np.abs(decoded.astype(int) - expected).mean() < 2
            num_read += 1
    assert num_read >= 9

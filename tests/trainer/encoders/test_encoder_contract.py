"""What every registered encoder must do; a new file in trainer/encoders is tested unasked."""

import io
import json

import keras
import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from trainer.encoders.encoder import Encoder
from trainer.layers.attribution import NUM_REGIONS
from trainer.layers.word_ops import find_words
from trainer.registry import ENCODERS, MODALITIES


def _picture(colour, form):
    buffer = io.BytesIO()
    Image.new("RGB", (40, 24), colour).save(buffer, form)
    return buffer.getvalue()


VALUES = {
    "image": [_picture("red", "JPEG"), b"", _picture("navy", "PNG"), _picture("red", "JPEG")],
    "text": [b"Red wireless headphones!", b"", "耳机 😀 ".encode() * 60, b"red wire\xff"],
    "number": [12.5, np.nan, 1e6, -3.0],
    "category": [b"Acme", b"", "中".encode(), b"Acme"],
}
# What keeps a heavy encoder small: no weights package, little pictures.
OPTIONS = {
    "bert": {"weights": "tiny_bert", "max_tokens": 8},
    "image_backbone": {"weights": "random", "image_size": 32},
    "resnet50": {"weights": "random", "image_size": 32},
}


@pytest.fixture(scope="module", params=ENCODERS.names())
def kind(request):
    return request.param


@pytest.fixture(scope="module")
def make(kind, tiny_bert):
    """Returns a function that makes a small encoder of this kind."""
    options = {k: tiny_bert if v == "tiny_bert" else v for k, v in OPTIONS.get(kind, {}).items()}
    return lambda **more: ENCODERS.get(kind)("part", **{**options, **more})


@pytest.fixture(scope="module")
def values(kind):
    values = VALUES[ENCODERS.get(kind).modality]
    return np.array(values, np.float32 if isinstance(values[0], float) else object)


@pytest.fixture(scope="module")
def adapted(make, values):
    encoder = make()
    encoder.adapt(values)
    return encoder


@pytest.fixture(scope="module")
def model(adapted):
    keras.utils.set_random_seed(0)
    return adapted.build()


@pytest.fixture(scope="module")
def tensors(adapted, values):
    return adapted.preprocess(tf.constant(list(values)))


def _assert_equal(tensors, expected):
    assert set(tensors) == set(expected)
    for key, value in expected.items():
        np.testing.assert_allclose(tensors[key], value, rtol=1e-6, atol=1e-6, err_msg=key)


def test_needs_no_options(kind):
    encoder = ENCODERS.get(kind)("part")
    assert isinstance(encoder, Encoder)
    assert encoder.name == "part"
    assert encoder.modality in MODALITIES.names()


def test_refuses_unknown_tuning(make):
    with pytest.raises(ValueError, match="Unknown tuning method"):
        make(tuning="half")


def test_preprocessing_makes_the_tensors_it_promises(adapted, tensors, values):
    specs = adapted.input_specs()
    assert set(tensors) == set(specs)
    for key, spec in specs.items():
        assert key.startswith("part_")
        assert tensors[key].dtype == spec.dtype
        assert tensors[key].shape[0] == len(values)
        assert spec.shape.is_compatible_with(tensors[key].shape[1:])


def test_preprocessing_is_the_same_in_every_graph(adapted, tensors, values):
    rows = tf.constant(list(values))
    data = tf.data.Dataset.from_tensors(rows).map(adapted.preprocess)
    _assert_equal(next(iter(data)), tensors)
    graph = tf.function(adapted.preprocess, input_signature=[tf.TensorSpec([None], rows.dtype)])
    _assert_equal(graph(rows), tensors)


def test_preprocessing_takes_no_rows(adapted, values):
    tensors = adapted.preprocess(tf.constant(list(values))[:0])
    assert {tensor.shape[0] for tensor in tensors.values()} == {0}


def test_state_survives_json(adapted, make, tensors, values):
    restored = make()
    restored.set_state(json.loads(json.dumps(adapted.get_state())))
    _assert_equal(restored.preprocess(tf.constant(list(values))), tensors)


def test_embeds_every_row(adapted, model, tensors, values):
    assert model.name == "part"
    assert set(model.input) == set(adapted.input_specs())
    embedding = model(tensors)
    assert embedding.dtype == tf.float32
    assert embedding.shape == (len(values), model.output_shape[-1])
    assert np.isfinite(embedding).all()
    # The first row is there and the second is absent.
    assert np.abs(embedding[0] - embedding[1]).max() > 1e-6
    if adapted.pretrained:
        assert (np.linalg.norm(embedding, axis=1) < 1.5).all()


def test_a_row_does_not_depend_on_its_batch(adapted, model, tensors, values):
    alone = model(adapted.preprocess(tf.constant(list(values))[:1]))
    np.testing.assert_allclose(alone[0], model(tensors)[0], atol=1e-5)


def test_frozen_embeddings_are_fixed(make, values, tensors):
    encoder = make(tuning="frozen")
    encoder.adapt(values)
    model = encoder.build()
    np.testing.assert_allclose(model(tensors, training=True), model(tensors), atol=1e-5)


def test_saves_and_loads(model, tensors, tmp_path):
    model.save(tmp_path / "part.keras")
    loaded = keras.models.load_model(tmp_path / "part.keras")
    np.testing.assert_allclose(loaded(tensors), model(tensors), atol=1e-6)


def test_exports_with_its_preprocessing(adapted, model, tensors, values, tmp_path):
    rows = tf.constant(list(values))
    module = tf.Module()
    module.weights = model.variables
    # Look-up tables belong to the saved graph.
    module.tables = [v for v in vars(adapted).values() if isinstance(v, dict | tf.Module)]
    module.embed = tf.function(
        lambda rows: model(adapted.preprocess(rows)),
        input_signature=[tf.TensorSpec([None], rows.dtype)],
    )
    tf.saved_model.save(module, str(tmp_path))
    loaded = tf.saved_model.load(str(tmp_path))
    np.testing.assert_allclose(loaded.embed(rows), model(tensors), atol=1e-5)


def test_splits_what_it_adds_among_regions_or_words(adapted, model, tensors, values):
    rng = np.random.default_rng(0)
    slope = tf.constant(rng.normal(size=model.output_shape[-1]), tf.float32)
    words = find_words(tf.constant(list(values))) if adapted.modality == "text" else None

    @tf.function(autograph=False)
    def explain(row):
        own = {name: of[row, None] for name, of in tensors.items()}
        return adapted.explain(model, own, slope, words and words.of_row(row))

    if adapted.modality not in ("image", "text"):
        assert explain(tf.constant(0)) is None
        return
    for row in range(len(values)):
        found = explain(tf.constant(row)).numpy()
        expected = (NUM_REGIONS, NUM_REGIONS) if words is None else words.texts[row].shape
        assert found.shape == expected
        assert np.isfinite(found).all()
        np.testing.assert_array_equal(found, explain(tf.constant(row)))
    if words is not None:
        assert np.abs(explain(tf.constant(0))).max() > 1e-6
        return
    # A plain colour shows nothing anywhere, a shape does where it is.
    np.testing.assert_allclose(explain(tf.constant(0)), 0, atol=1e-6)
    picture = Image.new("RGB", (64, 64), "white")
    picture.paste("black", (32, 0, 64, 32))
    buffer = io.BytesIO()
    picture.save(buffer, "PNG")
    shape = adapted.preprocess(tf.constant([buffer.getvalue()]))
    found = np.abs(adapted.explain(model, shape, slope, None))
    assert found[:4, 4:].sum() > found[4:, :4].sum()

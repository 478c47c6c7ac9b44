"""What every encoder of the device must do; a new file is tested unasked."""

import inspect
import io
import json

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from serving.edge.registry import encoder_names, find_encoder
from trainer.registry import ENCODERS


def picture(form):
    pixels = np.random.default_rng(0).integers(0, 256, (90, 140, 3), np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(pixels).resize((400, 300)).save(buffer, form)
    return buffer.getvalue()


TEXTS = [
    b"Red wireless headphones!\nwith red wires",
    b"",
    "耳机 😀 red ".encode() * 60,
    b"red wire\xff\nhead\xff\nwire",
    "Hеadphones Ｒed w\u00adire, wire1ess red, red\n".encode(),
    b"\n\nheadphones",
    "RED WIRELESS\nРeд".encode(),
]
NUMBERS = [12.5, np.nan, 1e6, -3.0, 0.0, np.inf, -np.inf, 3e38, 1e-40, 11.0]
VALUES = {
    "image": [picture("JPEG"), b"", picture("PNG")],
    "text": TEXTS,
    "number": NUMBERS,
    "category": [b"Acme", b"", "中".encode(), b"Acme", b"acme", b"\xff", "中".encode()],
}
BERT = {"weights": "tiny_bert"}
CASES = [
    ("bert", {**BERT, "max_tokens": 8}),
    ("bert", {**BERT, "max_tokens": 5, "windows": 3, "title_tokens": 4}),
    ("bert", {**BERT, "max_tokens": 32, "title_tokens": 16, "fold_look_alikes": True}),
    ("bert", {**BERT, "max_tokens": 9, "title_tokens": 5, "num_layers": 1, "max_pieces": 7}),
    ("image_backbone", {"weights": "random", "image_size": 40}),
    ("ngram", {}),
    (
        "ngram",
        {"min_rows": 1, "word_widths": [1, 3], "character_widths": [3], "max_characters": 30},
    ),
    ("ngram", {"min_rows": 1, "fold_look_alikes": True}),
    ("one_hot", {}),
    ("one_hot", {"min_rows": 1}),
    ("piecewise", {}),
    ("piecewise", {"log": False, "num_bins": 3}),
    ("resnet50", {"weights": "random"}),
    ("tiny_image", {}),
    ("tiny_text", {}),
    ("tiny_text", {"max_tokens": 5, "num_buckets": 11}),
]


def as_raw(name):
    values = VALUES[ENCODERS.get(name).modality]
    return np.array(values, np.float32 if isinstance(values[0], float) else object)


def weights_of_terms(tensors, row):
    pairs = zip(tensors["part_term_ids"][row], tensors["part_weights"][row], strict=True)
    return {int(term): pytest.approx(weight, abs=1e-6) for term, weight in pairs if weight}


def test_the_device_has_every_encoder():
    assert encoder_names() == ENCODERS.names()
    assert {name for name, _ in CASES} == set(ENCODERS.names())
    with pytest.raises(ValueError, match=r"Unknown encoder. .*'bert'.* Received: 'brt'"):
        find_encoder("brt")


@pytest.mark.parametrize("name", ENCODERS.names())
def test_defaults_are_those_of_the_trainer(name):
    parameters = inspect.signature(ENCODERS.get(name)).parameters
    encoder = find_encoder(name)
    assert encoder.kind == ENCODERS.get(name).modality
    assert encoder.defaults == {key: parameters[key].default for key in encoder.defaults}


@pytest.mark.parametrize(("name", "options"), CASES)
def test_tensors_are_those_of_the_trainer(name, options, tiny_bert):
    weights = {"weights": tiny_bert} if options.get("weights") == "tiny_bert" else {}
    trained = ENCODERS.get(name)("part", **{**options, **weights})
    raw = as_raw(name)
    trained.adapt(raw)
    state = json.loads(json.dumps(trained.get_state()))
    encoder = find_encoder(name)("part", options, state)
    found = encoder.preprocess(raw if raw.dtype == np.float32 else list(raw))
    expected = {k: v.numpy() for k, v in trained.preprocess(tf.constant(list(raw))).items()}
    specs = trained.input_specs()
    assert set(found) == set(specs)
    for key, spec in specs.items():
        assert found[key].dtype == spec.dtype.as_numpy_dtype
        assert spec.shape.is_compatible_with(found[key].shape[1:])
        assert found[key].shape == expected[key].shape
    if name == "ngram":
        for row in range(len(raw)):
            assert weights_of_terms(found, row) == weights_of_terms(expected, row)
    else:
        for key, value in expected.items():
            np.testing.assert_allclose(found[key], value, rtol=0, atol=1e-6, err_msg=key)
    none = encoder.preprocess(raw[:0] if raw.dtype == np.float32 else [])
    assert {len(tensor) for tensor in none.values()} == {0}


def test_texts_are_as_short_as_they_can_be(tiny_bert):
    options = {"max_tokens": 12, "windows": 3, "title_tokens": 12}
    trained = ENCODERS.get("bert")("part", weights=tiny_bert, **options)
    encoder = find_encoder("bert")("part", options, trained.get_state())
    model = trained.build()
    # By tokens with [CLS] and [SEP]: lengths of the text and of its title.
    cases = {0: (8, 8), 6: (8, 8), 7: (12, 12), 10: (12, 12), 11: (24, 12), 20: (24, 12)}
    cases |= {21: (36, 12), 90: (36, 12)}
    for words, (length, title) in cases.items():
        padded = encoder.preprocess([b"red " * words])
        short = encoder.shorten({**padded, "other": np.zeros((1, 99))})
        lengths = {name: of.shape[1] for name, of in short.items()}
        assert lengths == {
            "part_token_ids": length,
            "part_padding_mask": length,
            "part_title_token_ids": title,
            "part_title_padding_mask": title,
        }
        by_trainer = trained.shorten(padded)
        assert {name: of.tolist() for name, of in by_trainer.items()} == {
            name: of.tolist() for name, of in short.items()
        }
        np.testing.assert_allclose(model(short).numpy(), model(padded).numpy(), atol=2e-6)
    both = encoder.preprocess([b"red", b"red " * 11])
    assert encoder.shorten(both)["part_token_ids"].shape == (2, 24)


@pytest.mark.parametrize(("name", "options"), CASES)
def test_shortening_changes_no_embedding(name, options, tiny_bert):
    weights = {"weights": tiny_bert} if options.get("weights") == "tiny_bert" else {}
    trained = ENCODERS.get(name)("part", **{**options, **weights})
    raw = as_raw(name)[:3]
    trained.adapt(raw)
    tensors = {key: of.numpy() for key, of in trained.preprocess(tf.constant(list(raw))).items()}
    device = find_encoder(name)("part", options, json.loads(json.dumps(trained.get_state())))
    short, model = device.shorten(tensors), trained.build()
    assert short.keys() <= tensors.keys()
    found, expected = (model(of, training=False).numpy() for of in ({**tensors, **short}, tensors))
    np.testing.assert_allclose(found, expected, atol=2e-6)

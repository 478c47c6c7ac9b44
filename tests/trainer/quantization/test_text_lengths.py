"""Texts on a device at the length that holds them, against the same padded."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from trainer.certificate import DeviceNetwork
from trainer.device_graph import convert
from trainer.encoders.bert import BertEncoder
from trainer.registry import QUANTIZERS

WORDS = (0, 3, 9, 13, 14, 15, 29, 90)
OPTIONS = [
    {"max_tokens": 16},
    {"max_tokens": 16, "windows": 3, "title_tokens": 9},
]


@pytest.mark.parametrize("options", OPTIONS)
@pytest.mark.parametrize("name", ["float32", "dynamic_range", "full_integer"])
def test_a_short_text_is_answered_as_if_it_were_padded(tiny_bert, name: str, options) -> None:
    keras.utils.set_random_seed(0)
    encoder = BertEncoder("text", weights=tiny_bert, **options)
    model = encoder.build()
    logits = keras.layers.Dense(3, name="head")(model.output)
    network = keras.Model(model.input, {"logits": logits})
    raw = tf.constant([b"red wire head " * words for words in WORDS])
    tensors = {key: of.numpy() for key, of in encoder.preprocess(raw).items()}
    expected = network(tensors, training=False)["logits"].numpy()
    quantizer = QUANTIZERS.make(name, {})
    quantizer.prepare(network, [tensors] if quantizer.calibrates else [])
    device = DeviceNetwork(convert(network, quantizer))
    rows = [{key: of[at : at + 1] for key, of in tensors.items()} for at in range(len(WORDS))]
    padded = np.array([device(row) for row in rows])
    short_rows = [encoder.shorten(row) for row in rows]
    lengths = {row["text_token_ids"].shape[1] for row in short_rows}
    assert lengths == ({8, 16, 32, 48} if "windows" in options else {8, 16})
    # Backwards, too: a length leaves nothing behind for the next.
    for order in (1, -1):
        found = np.array([device(row) for row in short_rows[::order]])[::order]
        np.testing.assert_allclose(found, padded, atol=1e-5 * np.ptp(expected))
    assert np.abs(padded - expected).max() < (1e-4 if name == "float32" else 0.1) * np.ptp(expected)

"""A file for devices is the same network when equal arrays are written once."""

from typing import Any

import keras
import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema
from ai_edge_litert.interpreter import Interpreter

import trainer.device_graph
from trainer.device_graph import convert
from trainer.registry import QUANTIZERS
from trainer.shared_vectors import share_vectors

ROWS = {"x": np.random.default_rng(0).normal(size=(4, 8, 8, 3)).astype(np.float32)}


@pytest.fixture(scope="module")
def written() -> bytes:
    """Returns what the converter writes of a network of 8 bits."""
    keras.utils.set_random_seed(0)
    read = keras.Input((8, 8, 3), name="x")
    x = keras.layers.Conv2D(64, 3, activation="relu")(read)
    x = keras.layers.Conv2D(64, 3, activation="relu")(x)
    logits = keras.layers.Dense(5)(keras.layers.GlobalAveragePooling2D()(x))
    network = keras.Model({"x": read}, {"logits": logits})
    quantizer = QUANTIZERS.make("full_integer", {})
    quantizer.prepare(network, [ROWS])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(trainer.device_graph, "share_vectors", lambda content: content)
        return convert(network, quantizer)


def as_plain(of: Any) -> Any:
    """Returns an unpacked object as nested dicts, lists and numbers."""
    if hasattr(of, "__dict__"):
        return {name: as_plain(value) for name, value in vars(of).items()}
    if isinstance(of, list | np.ndarray):
        return [as_plain(value) for value in of]
    return of


def test_all_that_it_says_stays(written):
    shared = share_vectors(written)
    before, after = (schema.ModelT.InitFromPackedBuf(of) for of in (written, shared))
    assert as_plain(after) == as_plain(before)
    # 64 channels twice and 5, each in a weight and a bias, have 8 bytes.
    assert len(written) - len(shared) > 8 * (2 * 64 * 2 + 2 * 5) - 8 * (64 + 5) - 500
    assert share_vectors(shared) == shared


def test_it_answers_the_same(written):
    answers = []
    for content in (written, share_vectors(written)):
        run = Interpreter(model_content=content).get_signature_runner("serving_default")
        answers.append([run(x=ROWS["x"][row : row + 1])["logits"] for row in range(4)])
    np.testing.assert_array_equal(*answers)


def test_weights_lie_where_the_schema_asks(written):
    shared = share_vectors(written)
    model = schema.Model.GetRootAsModel(shared, 0)
    buffers = [model.Buffers(index) for index in range(model.BuffersLength())]
    starts = [of._tab.Vector(of._tab.Offset(4)) for of in buffers if of.DataLength()]
    assert len(starts) >= 6
    assert not any(start % 16 for start in starts)
    assert schema.Model.ModelBufferHasIdentifier(shared, 0)

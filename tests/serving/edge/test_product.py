import numpy as np
import pytest
import tensorflow as tf

from serving.edge.product import ProductReader
from trainer.inputs import InputSpec
from trainer.preprocessing import build_branches, preprocess

INPUTS = (
    InputSpec("text", "text", ("title",)),
    InputSpec("price", "number", ("price",)),
    InputSpec("brand", "category", ("brand",)),
)
ENCODERS = {
    "text": {"tiny_text": {"max_tokens": 6}, "ngram": {"min_rows": 1}},
    "number": {"piecewise": {}},
    "category": {"one_hot": {"min_rows": 1}},
}
ROWS = [
    {"text": b"Red watch", "price": 12.5, "brand": b"Acme"},
    {"text": b"", "price": float("nan"), "brand": b""},
    {"text": "智能手表".encode()},
    {"price": 1e300, "brand": b"acme"},
]
RAW = {
    "text": [b"Red watch", b"", "智能手表".encode(), b""],
    "price": np.array([12.5, np.nan, np.nan, np.inf], np.float32),
    "brand": [b"Acme", b"", b"", b"acme"],
}


@pytest.fixture(scope="module")
def branches():
    branches = build_branches(INPUTS, ENCODERS)
    for branch in branches:
        branch.encoder.adapt(np.array(RAW[branch.input.name]))
    return branches


@pytest.fixture(scope="module")
def reader(branches):
    return ProductReader(
        [
            {
                "name": branch.name,
                "input": {"name": branch.input.name, "kind": branch.input.kind, "columns": []},
                "encoder": branch.encoder_name,
                "options": branch.options,
                "state": branch.encoder.get_state(),
            }
            for branch in branches
        ]
    )


def test_tensors_are_those_of_the_trainer(branches, reader):
    expected = preprocess(branches, {name: tf.constant(raw) for name, raw in RAW.items()})
    tensors = reader.preprocess(ROWS)
    assert set(tensors) == set(expected)
    for name, tensor in expected.items():
        assert tensors[name].dtype == tensor.dtype.as_numpy_dtype, name
        found, wanted = tensors[name], tensor.numpy()
        if name.startswith("text_ngram"):  # terms may come in any order
            found, wanted = np.sort(found), np.sort(wanted)
        np.testing.assert_allclose(found, wanted, atol=1e-6, err_msg=name)
    assert tensors["price_present"].tolist() == [True, False, False, True]
    assert tensors["text_present"].tolist() == [True, False, True, False]


def test_unknown_inputs_are_an_error(reader):
    with pytest.raises(ValueError, match=r"Unknown input of row 1.*'brand'.*Received: \['prise'\]"):
        reader.preprocess([{"price": 1.0}, {"prise": 1.0}])


def test_no_products_give_no_rows(reader):
    assert {len(tensor) for tensor in reader.preprocess([]).values()} == {0}

from __future__ import annotations

import numpy as np
import pytest

from serving.client.errors import ServingError
from serving.client.messages import TensorProto
from serving.client.tensors import STRING, as_objects, from_tensor, to_tensor


@pytest.mark.parametrize("dtype", ["f4", "f8", "f2", "i1", "i2", "i4", "i8", "u1", "?"])
def test_numbers_come_back(dtype):
    array = np.array([[0, 1, 2], [3, 100, 0]]).astype(dtype)
    found = from_tensor(TensorProto.FromString(to_tensor(array).SerializeToString()))
    assert found.dtype == array.dtype
    np.testing.assert_array_equal(found, array)


def test_strings_come_back_with_zeros_at_their_ends():
    array = as_objects([b"", b"\xff\xd8\x00", b"a\x00\x00", "杯".encode()]).reshape(2, 2)
    found = from_tensor(to_tensor(array))
    assert found.shape == (2, 2)
    assert found.tolist() == array.tolist()


def test_no_rows_come_back():
    assert from_tensor(to_tensor(np.zeros((0, 3), np.float32))).shape == (0, 3)


def test_values_one_by_one_and_a_last_one_that_stands_for_more():
    tensor = TensorProto(dtype=1, float_val=[1.5, 2.5])
    tensor.tensor_shape.dim.add(size=4)
    assert from_tensor(tensor).tolist() == [1.5, 2.5, 2.5, 2.5]


@pytest.mark.parametrize("values", [[], [1.0, 2.0, 3.0]])
def test_a_wrong_number_of_values_is_an_error(values):
    tensor = TensorProto(dtype=1, float_val=values)
    tensor.tensor_shape.dim.add(size=2)
    with pytest.raises(ServingError, match=rf"shape \(2,\) with {len(values)} values"):
        from_tensor(tensor)


def test_unknown_types_are_errors():
    with pytest.raises(ServingError, match="unknown type 99"):
        from_tensor(TensorProto(dtype=99))
    with pytest.raises(ValueError, match="Received: an array of complex64"):
        to_tensor(np.zeros(1, np.complex64))
    assert STRING == 7

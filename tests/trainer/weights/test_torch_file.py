import os
import pickle
import struct

import numpy as np
import pytest

from trainer.weights.packages import find_package
from trainer.weights.torch_file import read_torch_file


def _pickle(value):
    """Opcodes that push `value`, without the protocol header and the final STOP."""
    return pickle.dumps(value, protocol=2)[2:-1]


def _stop(opcodes):
    return b"\x80\x02" + opcodes + b"."


def _tensor(storage, storage_type, size, *view):
    """Opcodes that rebuild a tensor: `view` is its offset, shape and strides in the storage."""
    persistent_id = (
        b"("
        + _pickle("storage")
        + f"ctorch\n{storage_type}\n".encode()
        + _pickle(storage)
        + _pickle("cpu")
        + _pickle(size)
        + _pickle(None)
        + b"tQ"
    )
    rest = b"".join(_pickle(part) for part in (*view, False))
    hooks = b"ccollections\nOrderedDict\n)R"
    return b"ctorch._utils\n_rebuild_tensor_v2\n(" + persistent_id + rest + hooks + b"tR"


def _file(tmp_path, tensors, storages):
    """Writes a legacy file by hand: magic, version, system, dict, storage keys, storages."""
    items = b"".join(_pickle(name) + opcodes for name, opcodes in tensors.items())
    content = _stop(_pickle(0x1950A86A20F9469CFC6C)) + _stop(_pickle(1001))
    content += _stop(_pickle({"protocol_version": 1001, "little_endian": True, "type_sizes": {}}))
    content += _stop(b"ccollections\nOrderedDict\n)R(" + items + b"u")
    content += _stop(_pickle(list(storages)))
    for values in storages.values():
        content += struct.pack("<q", values.size) + values.tobytes()
    path = tmp_path / "weights.pth"
    path.write_bytes(content)
    return path


def test_reads_tensors_as_they_were_written(tmp_path):
    values = np.arange(12, dtype="<f4")
    tensors = {
        "rows": _tensor("a", "FloatStorage", 12, 0, (3, 4), (4, 1)),
        "transposed": _tensor("a", "FloatStorage", 12, 0, (4, 3), (1, 4)),
        "part": _tensor("a", "FloatStorage", 12, 5, (2,), (1,)),
        "scalar": _tensor("b", "LongStorage", 1, 0, (), ()),
        "empty": _tensor("a", "FloatStorage", 12, 0, (0, 4), (4, 1)),
        "half": _tensor("c", "HalfStorage", 2, 0, (2,), (1,)),
    }
    storages = {"c": np.array([0.5, -2], "<f2"), "a": values, "b": np.array([7], "<i8")}
    read = read_torch_file(_file(tmp_path, tensors, storages))
    assert list(read) == list(tensors)
    np.testing.assert_array_equal(read["rows"], values.reshape(3, 4))
    np.testing.assert_array_equal(read["transposed"], values.reshape(3, 4).T)
    np.testing.assert_array_equal(read["part"], [5, 6])
    assert read["scalar"] == 7 and read["scalar"].dtype == np.int64
    assert read["empty"].shape == (0, 4)
    np.testing.assert_array_equal(read["half"], [0.5, -2])


@pytest.mark.parametrize(
    ("module", "name"), [("os", "system"), ("builtins", "eval"), ("torch", "load")]
)
def test_refuses_everything_but_tensors(tmp_path, module, name):
    marker = tmp_path / "ran"
    call = f"c{module}\n{name}\n".encode() + b"(" + _pickle(f"touch {marker}") + b"tR"
    path = _file(tmp_path, {"weight": call}, {})
    with pytest.raises(ValueError, match=rf"Received: {module}\.{name}"):
        read_torch_file(path)
    assert not marker.exists()


@pytest.mark.parametrize(
    ("offset", "shape", "strides"),
    [(0, (5,), (1,)), (3, (2,), (1,)), (0, (2, 2), (4, 1)), (3, (2,), (-1,)), (-1, (1,), (1,))],
)
def test_refuses_a_view_outside_its_storage(tmp_path, offset, shape, strides):
    tensors = {"weight": _tensor("a", "FloatStorage", 4, offset, shape, strides)}
    path = _file(tmp_path, tensors, {"a": np.zeros(4, "<f4")})
    with pytest.raises(ValueError, match="must lie inside its storage of 4 values"):
        read_torch_file(path)


def test_refuses_a_storage_larger_than_the_file(tmp_path):
    tensors = {"weight": _tensor("a", "FloatStorage", 4, 0, (4,), (1,))}
    path = _file(tmp_path, tensors, {"a": np.zeros(4, "<f4")})
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(ValueError, match=r"ends early: expected 16 bytes. Received: 15"):
        read_torch_file(path)


def test_refuses_values_that_are_not_tensors(tmp_path):
    path = _file(tmp_path, {"epoch": _pickle(3)}, {})
    with pytest.raises(ValueError, match=r"Expected tensors by name. Received: 'epoch': int"):
        read_torch_file(path)


def test_says_how_to_mend_a_zip_file(tmp_path):
    path = tmp_path / "new.pth"
    path.write_bytes(b"PK\x03\x04rest")
    with pytest.raises(ValueError, match="Convert it to safetensors"):
        read_torch_file(path)


def test_refuses_bytes_of_another_kind(tmp_path):
    path = tmp_path / "noise.pth"
    path.write_bytes(b"\x89PNG not a pickle")
    with pytest.raises(ValueError, match="not a state_dict in PyTorch's old file format"):
        read_torch_file(path)


@pytest.mark.pretrained
def test_agrees_with_another_reader_on_published_weights(monkeypatch):
    path = find_package("efficientnet-lite0")
    tensors = read_torch_file(path)
    assert len(tensors) == 296
    assert tensors["_conv_stem.weight"].shape == (32, 3, 3, 3)
    monkeypatch.setitem(os.environ, "DEV", "PYTHON")
    from tinygrad.nn.state import torch_load

    expected = torch_load(str(path))
    assert set(expected) == set(tensors)
    for name in ("_conv_stem.weight", "_blocks.3._depthwise_conv.weight", "_fc.bias"):
        np.testing.assert_array_equal(tensors[name], expected[name].numpy(), err_msg=name)

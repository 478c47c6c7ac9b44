import keras
import numpy as np
import pytest
from safetensors.numpy import load_file

from trainer.weights.adapter_file import AdapterCard, load_adapter, write_adapter

CARD = AdapterCard("lora", {"rank": 2}, "abc")


def model(units=3):
    return keras.Sequential(
        [keras.Input([2]), keras.layers.Dense(units), keras.layers.Dense(1, trainable=False)],
        name="part",
    )


def test_holds_the_trained_weights_and_a_card(tmp_path):
    path, written = tmp_path / "adapters" / "part.safetensors", model()
    write_adapter(path, written, CARD)
    assert AdapterCard.load(path) == CARD
    path.with_name("other").touch()
    assert path.stat().st_mode == path.with_name("other").stat().st_mode
    path.with_name("other").unlink()
    assert sorted(tensor.shape for tensor in load_file(path).values()) == [(2, 3), (3,)]
    assert [other.name for other in path.parent.iterdir()] == [path.name]
    read = model()
    load_adapter(path, read, "abc")
    for ours, theirs in zip(read.trainable_weights, written.trainable_weights, strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_refuses_another_base(tmp_path):
    write_adapter(tmp_path / "a", model(), CARD)
    with pytest.raises(ValueError, match=r"digest abc\. Received: 'part' with weights of digest x"):
        load_adapter(tmp_path / "a", model(), "x")


def test_refuses_other_tensors(tmp_path):
    write_adapter(tmp_path / "a", model(units=4), CARD)
    with pytest.raises(ValueError, match="does not hold what 'lora' trains of 'part'"):
        load_adapter(tmp_path / "a", model(), "abc")


def test_refuses_what_is_no_adapter(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"No adapter file at .*nowhere"):
        AdapterCard.load(tmp_path / "nowhere")
    (tmp_path / "text").write_text("not tensors at all, and longer than eight bytes")
    with pytest.raises(ValueError, match="Not an adapter file of taxofuse"):
        AdapterCard.load(tmp_path / "text")

import h5py
import keras
import numpy as np
import pytest

from trainer.weights import resnet50
from trainer.weights.resnet50 import load_resnet50
from trainer.weights.source import WeightsSource, resolve_weights

SIZE = 32
BLOCKS = {"conv2": 3, "conv3": 4, "conv4": 6, "conv5": 3}


def _layer_names():
    """The layers with weights, in the order of the file that Keras publishes."""
    names = ["conv1_conv", "conv1_bn"]
    for stage, repeats in BLOCKS.items():
        for block in range(1, repeats + 1):
            order = ["1_conv", "1_bn", "2_conv", "2_bn", "3_conv", "3_bn"]
            if block == 1:
                order = [*order[:4], "0_conv", "3_conv", "0_bn", "3_bn"]
            names += [f"{stage}_block{block}_{part}" for part in order]
    return names


def _shapes():
    model = load_resnet50(WeightsSource("random", "random"), SIZE)
    return {layer.name: [w.shape for w in layer.weights] for layer in model.layers}


def _write_published_format(path, shapes, names):
    """Writes weights as Keras 2 did: a group a layer, with the attribute `weight_names`.

    Every weight of the n-th layer is filled with n, the next one with n + 0.25, and so on.
    """
    parts = {2: ("kernel", "bias"), 4: ("gamma", "beta", "moving_mean", "moving_variance")}
    with h5py.File(path, "w") as file:
        file.attrs["layer_names"] = [name.encode() for name in ["input_1", *names]]
        file.attrs["backend"] = b"tensorflow"
        file.attrs["keras_version"] = b"2.2.4"
        file.create_group("input_1").attrs["weight_names"] = []
        for index, name in enumerate(names):
            group = file.create_group(name)
            weight_names = [f"{name}/{part}:0" for part in parts[len(shapes[name])]]
            group.attrs["weight_names"] = [weight.encode() for weight in weight_names]
            for i, (weight, shape) in enumerate(zip(weight_names, shapes[name], strict=True)):
                value = np.full(shape, index + 0.25 * i, np.float32)
                group.create_dataset(weight, data=value, compression="gzip", compression_opts=1)


@pytest.fixture(scope="module")
def shapes():
    return _shapes()


def test_finds_published_weights_in_the_model(tmp_path, shapes):
    path = tmp_path / resnet50.NOTOP_FILE
    names = _layer_names()
    assert len(names) == 106
    _write_published_format(path, shapes, names)
    model = load_resnet50(resolve_weights(str(path)), SIZE)
    for index, name in enumerate(names):
        for i, weight in enumerate(model.get_layer(name).get_weights()):
            assert (weight == index + 0.25 * i).all(), name


def test_refuses_a_file_that_lacks_a_layer(tmp_path, shapes):
    path = tmp_path / "short.h5"
    _write_published_format(path, shapes, _layer_names()[:-1])
    with pytest.raises(ValueError, match=r"Expected ResNet50 weights .*short\.h5"):
        load_resnet50(resolve_weights(str(path)), SIZE)


def test_loads_what_keras_3_saved(tmp_path):
    path = tmp_path / "resnet.weights.h5"
    saved = keras.applications.ResNet50(
        include_top=False, weights=None, input_shape=(SIZE, SIZE, 3), pooling="avg"
    )
    saved.save_weights(path)
    model = load_resnet50(resolve_weights(str(path)), SIZE)
    pixels = np.linspace(-1, 1, SIZE * SIZE * 3, dtype=np.float32).reshape(1, SIZE, SIZE, 3)
    np.testing.assert_allclose(model(pixels), saved(pixels), atol=1e-5)


def test_says_what_to_use_when_imagenet_cannot_be_downloaded(monkeypatch):
    def unreachable(*args, **options):
        raise OSError("no network")

    monkeypatch.setattr(keras.utils, "get_file", unreachable)
    with pytest.raises(ConnectionError, match=r"no network.*give its path"):
        load_resnet50(resolve_weights("imagenet"), SIZE)


def test_refuses_presets():
    with pytest.raises(ValueError, match="use the encoder 'image_backbone'"):
        load_resnet50(resolve_weights("resnet_50_imagenet"), SIZE)

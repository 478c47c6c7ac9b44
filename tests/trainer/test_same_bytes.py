import json
import os
import zipfile

import keras
import numpy as np

from trainer.same_bytes import settle_keras_file


def save(path, seed=0):
    keras.utils.set_random_seed(seed)
    shared = keras.regularizers.L2(0.1)
    inputs = keras.Input((3,), name="rows")
    hidden = keras.layers.Dense(4, kernel_regularizer=shared, name="first")(inputs)
    outputs = keras.layers.Dense(2, kernel_regularizer=shared, name="second")(hidden)
    model = keras.Model(inputs, outputs, name="small")
    model.save(path)
    return model


def test_the_same_network_is_the_same_file(tmp_path):
    contents = []
    for name in ("a", "b"):
        model = save(tmp_path / f"{name}.keras")
        os.utime(tmp_path / f"{name}.keras", (1, 1))
        settle_keras_file(tmp_path / f"{name}.keras")
        contents.append((tmp_path / f"{name}.keras").read_bytes())
    assert contents[0] == contents[1]
    loaded = keras.saving.load_model(tmp_path / "a.keras")
    rows = np.random.default_rng(0).normal(size=(5, 3)).astype(np.float32)
    np.testing.assert_array_equal(loaded(rows), model(rows))
    save(tmp_path / "c.keras", seed=1)
    settle_keras_file(tmp_path / "c.keras")
    assert (tmp_path / "c.keras").read_bytes() != contents[0]


def test_objects_that_are_shared_stay_shared(tmp_path):
    path = tmp_path / "a.keras"
    shared = [
        {"name": name, "shared_object_id": at} for name, at in (("a", 77), ("b", 9), ("c", 77))
    ]
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("config.json", json.dumps({"layers": [*shared, {"shared_object_id": None}]}))
        file.writestr("metadata.json", json.dumps({"keras_version": "3", "date_saved": "now"}))
    settle_keras_file(path)
    with zipfile.ZipFile(path) as file:
        layers = json.loads(file.read("config.json"))["layers"]
        assert json.loads(file.read("metadata.json")) == {"keras_version": "3"}
    assert [layer["shared_object_id"] for layer in layers] == [1, 2, 1, None]
    assert list(tmp_path.iterdir()) == [path]

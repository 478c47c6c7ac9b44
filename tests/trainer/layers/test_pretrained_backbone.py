import keras
import numpy as np
import pytest

from trainer.layers.pretrained_backbone import PretrainedBackbone

X = np.random.default_rng(0).normal(5, 2, (8, 4)).astype(np.float32)


def _model(**options):
    inner = keras.Sequential(
        [keras.Input([4]), keras.layers.BatchNormalization(), keras.layers.Dropout(0.5)]
    )
    inputs = keras.Input([4])
    return keras.Model(inputs, PretrainedBackbone(inner, name="inner", **options)(inputs))


def test_a_frozen_network_runs_as_in_inference():
    model = _model()
    assert np.abs(model(X, training=True) - model(X)).max() > 0.5
    model.trainable = False
    np.testing.assert_array_equal(model(X, training=True), model(X))


def test_fixed_statistics_hold_while_weights_train():
    model = _model(fixed_statistics=True)
    model.compile(optimizer=keras.optimizers.SGD(0.1), loss="mse")
    norm = model.get_layer("inner").layer.layers[0]
    model.fit(X, np.zeros_like(X), epochs=1, verbose=0)
    np.testing.assert_array_equal(norm.moving_mean, np.zeros(4))
    assert np.abs(norm.gamma - 1).max() > 0.1


@pytest.mark.parametrize("fixed", [True, False])
def test_survives_saving(tmp_path, fixed):
    model = _model(fixed_statistics=fixed)
    model.get_layer("inner").layer.layers[0].moving_mean.assign([1, 2, 3, 4])
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(loaded(X), model(X))
    assert loaded.get_layer("inner").fixed_statistics is fixed

import keras
import numpy as np

from trainer.layers.vote_pool import VotePool

VOTES = np.random.default_rng(0).normal(size=(5, 3, 4)).astype(np.float32)


def test_adds_weighted_votes():
    layer = VotePool(3)
    np.testing.assert_allclose(layer(VOTES), VOTES.mean(axis=1), atol=1e-6)
    layer.set_weights([np.array([2.0, 0.5, 0.0])])
    np.testing.assert_allclose(layer(VOTES), 2 * VOTES[:, 0] + 0.5 * VOTES[:, 1], atol=1e-6)
    assert layer.trainable_weights == []


def test_comes_back_from_a_file(tmp_path):
    votes = keras.Input([3, 4])
    layer = VotePool(3)
    model = keras.Model(votes, layer(votes))
    layer.set_weights([np.array([2.0, 0.5, 0.1])])
    model.save(tmp_path / "m.keras")
    loaded = keras.models.load_model(tmp_path / "m.keras")
    np.testing.assert_allclose(loaded(VOTES), model(VOTES), atol=1e-6)

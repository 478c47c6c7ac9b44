import keras
import numpy as np
import pytest
from scipy.special import logsumexp

from trainer.objectives.contrastive import InfoNCE, Meeting

RNG = np.random.default_rng(0)
PRESENT = np.array([1, 1, 0, 1, 0, 1], bool)


def make_pairs():
    """Unit vectors of two sides, times a length; zeros where there is no pair."""
    pairs = RNG.normal(size=(6, 2, 4))
    pairs *= 3 / np.linalg.norm(pairs, axis=-1, keepdims=True)
    return np.where(PRESENT[:, None, None], pairs, 0).astype(np.float32)


def reference(pairs):
    """The symmetric cross-entropy of CLIP, over pairs alone."""
    logits = pairs[:, 0].astype(np.float64) @ pairs[:, 1].T
    own = np.diag(logits)
    return np.mean([logsumexp(logits, axis=axis) - own for axis in (0, 1)])


def test_loss_is_that_of_clip_over_the_pairs_alone():
    pairs = make_pairs()
    found = float(InfoNCE()(np.zeros(6), pairs))
    assert found == pytest.approx(reference(pairs[PRESENT]), rel=1e-5)


def test_without_pairs_there_is_no_loss():
    assert float(InfoNCE()(np.zeros(6), np.zeros((6, 2, 4)))) == 0
    one = np.where(np.arange(6)[:, None, None] == 1, make_pairs(), 0)
    assert float(InfoNCE()(np.zeros(6), one)) == pytest.approx(0, abs=1e-6)


def test_dot_products_are_cosines_by_temperature():
    keras.utils.set_random_seed(0)
    sides = [RNG.normal(size=(6, width)).astype(np.float32) for width in (5, 3)]
    layer = Meeting(4, temperature=0.2)
    found = layer(sides, PRESENT).numpy()
    ends = [side @ kernel.numpy() for side, kernel in zip(sides, layer.kernels, strict=True)]
    cosines = [
        a @ b / np.linalg.norm(a) / np.linalg.norm(b) if present else 0
        for a, b, present in zip(*ends, PRESENT, strict=True)
    ]
    products = np.sum(found[:, 0] * found[:, 1], axis=-1)
    np.testing.assert_allclose(products, np.array(cosines) / 0.2, rtol=1e-4)
    np.testing.assert_array_equal(found[~PRESENT], 0)


def test_the_temperature_has_a_floor():
    layer = Meeting(4, temperature=0.001)
    found = layer([np.ones((1, 2)), np.ones((1, 2))], np.ones(1, bool)).numpy()
    np.testing.assert_allclose(np.sum(found**2, axis=-1), 100, rtol=1e-5)

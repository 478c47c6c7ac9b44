from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from trainer.layers.norm_ops import NORMS, draw_inside, project, steepest

ORDERS = {"infinity": np.inf, "l2": 2}
VALUES = np.random.default_rng(0).normal(size=(6, 4, 5)).astype(np.float32)


def lengths(values, norm):
    return np.linalg.norm(np.reshape(values, (len(values), -1)), ORDERS[norm], axis=1)


@pytest.mark.parametrize("norm", NORMS)
def test_no_perturbation_of_length_one_raises_a_linear_loss_more(norm):
    step = steepest(tf.constant(VALUES), norm).numpy()
    np.testing.assert_allclose(lengths(step, norm), 1, rtol=1e-5)
    # The dual norm is how far a linear function can rise.
    dual = {"infinity": 1, "l2": 2}[norm]
    expected = np.linalg.norm(VALUES.reshape(6, -1), dual, axis=1)
    np.testing.assert_allclose((step * VALUES).sum(axis=(1, 2)), expected, rtol=1e-5)
    assert not steepest(tf.zeros([2, 3]), norm).numpy().any()


@pytest.mark.parametrize("norm", NORMS)
def test_projection_shortens_what_is_too_long_and_nothing_else(norm):
    radius = float(np.median(lengths(VALUES, norm)))
    found = project(tf.constant(VALUES), norm, radius).numpy()
    np.testing.assert_allclose(
        lengths(found, norm), np.minimum(lengths(VALUES, norm), radius), rtol=1e-5
    )
    inside = lengths(VALUES, norm) <= radius
    np.testing.assert_array_equal(found[inside], VALUES[inside])
    if norm == "l2":
        np.testing.assert_allclose(
            steepest(found, norm), steepest(tf.constant(VALUES), norm), rtol=1e-4, atol=1e-6
        )


@pytest.mark.parametrize("norm", NORMS)
def test_what_is_drawn_fills_the_ball_evenly(norm):
    like = tf.zeros([4000, 3, 1])
    drawn = draw_inside(like, norm, tf.constant([1, 2])).numpy()
    size = lengths(drawn, norm)
    assert size.max() <= 1 + 1e-6
    # Of an even distribution the share within radius r is r to the power of the dimensions.
    for radius in (0.5, 0.8, 0.9):
        np.testing.assert_allclose(np.mean(size < radius), radius**3, atol=0.03)
    np.testing.assert_allclose(drawn.mean(axis=0), 0, atol=0.04)

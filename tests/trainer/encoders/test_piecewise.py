import json
from itertools import pairwise

import numpy as np
import pytest
import tensorflow as tf

from trainer.encoders.piecewise import PiecewiseEncoder

PRICES = np.random.default_rng(0).lognormal(5, 2, 200).astype(np.float32)


def make(values=PRICES, **options):
    encoder = PiecewiseEncoder("price", **options)
    encoder.adapt(np.asarray(values, np.float32))
    return encoder


def embed(encoder, values):
    return encoder.build()(encoder.preprocess(tf.constant(values, tf.float32))).numpy()


def expected_shares(edges, values):
    """How much of each bin lies below the value, by `np.interp` bin by bin."""
    shares = [np.interp(values, [low, high], [0, 1]) for low, high in pairwise(edges)]
    return np.stack(shares, axis=1)


@pytest.mark.parametrize("log", [True, False])
def test_equals_its_definition(log):
    values = np.float32([0, 1, 99.5, 1e9, -50, np.median(PRICES)])

    def scale(x):
        return np.sign(x) * np.log1p(np.abs(x)) if log else x

    edges = np.quantile(scale(PRICES), np.linspace(0, 1, 5))
    expected = expected_shares(edges, scale(values)) / np.sqrt(4)
    np.testing.assert_allclose(embed(make(num_bins=4, log=log), values), expected, atol=1e-5)


def test_length_is_at_most_one_and_grows_with_the_number():
    values = np.sort(PRICES)
    norms = np.linalg.norm(embed(make(), values), axis=1)
    assert norms[0] == pytest.approx(0, abs=1e-6)
    assert norms[-1] == pytest.approx(1, abs=1e-6)
    assert (np.diff(norms) >= 0).all()


def test_learns_from_finite_numbers_only():
    dirty = np.concatenate([PRICES, [np.nan, np.inf, -np.inf]])
    assert make(dirty).get_state() == make().get_state()


def test_infinite_and_absent_numbers_give_finite_embeddings():
    assert np.isfinite(embed(make(), [np.nan, np.inf, -np.inf, 3.4e38])).all()


@pytest.mark.parametrize("values", [[7.0] * 5, [7.0, np.nan]])
def test_one_number_for_all_products(values):
    found = embed(make(values), [1.0, 7.0, 100.0])
    np.testing.assert_allclose(found, [[0], [0.5], [1]], atol=1e-6)


def test_one_large_number_for_all_products():
    found = embed(make([1e9] * 3, log=False), [0.0, 1e9, 2e9])
    np.testing.assert_allclose(found, [[0], [0.5], [1]], atol=1e-3)


@pytest.mark.parametrize("values", [[], [np.nan, np.nan]])
def test_no_number_at_all_is_no_error(values):
    assert np.isfinite(embed(make(values), [1.0, np.nan])).all()


def test_large_numbers_close_together_keep_bins_of_some_width():
    values = np.float32(1e7) + np.arange(3, dtype=np.float32)
    assert np.isfinite(embed(make(values), values)).all()
    assert np.isfinite(embed(make(values, log=False), values)).all()


def test_state_restores_preprocessing():
    encoder, restored = make(), PiecewiseEncoder("price")
    restored.set_state(json.loads(json.dumps(encoder.get_state())))
    values = [1.0, np.nan, 250.0]
    np.testing.assert_array_equal(embed(restored, values), embed(encoder, values))

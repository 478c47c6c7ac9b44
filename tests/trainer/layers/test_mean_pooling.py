import numpy as np

from trainer.layers.mean_pooling import MeanPooling


def test_averages_what_is_not_padding():
    tokens = np.array([[[1, 2], [3, 6], [100, 100]], [[5, 5], [9, 9], [9, 9]]], np.float32)
    pooled = MeanPooling()(tokens, np.array([[1, 1, 0], [0, 0, 0]]))
    np.testing.assert_array_equal(pooled, [[2, 4], [0, 0]])


def test_sums_half_precision_in_float32():
    tokens = np.full((1, 4096, 1), 1.001, np.float16)
    pooled = MeanPooling()(tokens, np.ones((1, 4096)))
    np.testing.assert_allclose(pooled, np.float32(np.float16(1.001)), atol=1e-6)

import keras
import numpy as np

from trainer.fusion.gated import GatedFusion


def test_equals_its_formula():
    keras.utils.set_random_seed(0)
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=(4, 3)).astype(np.float32), rng.normal(size=(4, 2)).astype(np.float32)
    there_a, there_b = np.array([1, 1, 0, 0], bool), np.array([1, 0, 1, 0], bool)
    layer = GatedFusion(projection_dim=5)
    layer({"a": a, "b": b}, {"a": there_a, "b": there_b})
    layer.set_weights([rng.normal(size=weight.shape) for weight in layer.get_weights()])
    kernel_a, bias_a = layer.projections["a"].get_weights()
    kernel_b, bias_b = layer.projections["b"].get_weights()
    gate_kernel, gate_bias = layer.gate.get_weights()

    shown_a, shown_b = a * there_a[:, None], b * there_b[:, None]
    scores = np.exp(np.concatenate([shown_a, shown_b], axis=1) @ gate_kernel + gate_bias)
    shares = scores * np.stack([there_a, there_b], axis=1)
    shares /= np.maximum(shares.sum(axis=1, keepdims=True), 1e-12)
    expected = shares[:, :1] * np.tanh(shown_a @ kernel_a + bias_a)
    expected += shares[:, 1:] * np.tanh(shown_b @ kernel_b + bias_b)

    found = layer({"a": a, "b": b}, {"a": there_a, "b": there_b})
    np.testing.assert_allclose(found, expected, atol=1e-5)
    np.testing.assert_array_equal(found[3], np.zeros(5))

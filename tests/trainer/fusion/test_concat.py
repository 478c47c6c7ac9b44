import numpy as np

from trainer.fusion.concat import ConcatFusion

EMBEDDINGS = {"b": np.float32([[4, 5], [6, 7]]), "a": np.float32([[1], [2]])}
PRESENT = {"b": np.array([True, False]), "a": np.array([True, True])}


def test_lays_embeddings_side_by_side_by_name():
    np.testing.assert_array_equal(ConcatFusion()(EMBEDDINGS, PRESENT), [[1, 4, 5], [2, 0, 0]])


def test_projects_each_first_and_hides_the_bias_of_absent_ones():
    layer = ConcatFusion(projection_dim=2)
    layer(EMBEDDINGS, PRESENT)
    rng = np.random.default_rng(0)
    layer.set_weights([rng.normal(size=weight.shape) for weight in layer.get_weights()])
    parts = []
    for name in ("a", "b"):
        kernel, bias = layer.projections[name].get_weights()
        parts.append((EMBEDDINGS[name] @ kernel + bias) * PRESENT[name][:, None])
    np.testing.assert_allclose(layer(EMBEDDINGS, PRESENT), np.concatenate(parts, axis=1), atol=1e-6)

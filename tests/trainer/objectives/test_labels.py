import numpy as np
import pytest

from trainer.objectives.labels import Labels
from trainer.sample import Sample

BRANDS = np.array(["a", "b", "", "a", "rare", "b", "a"])
SAMPLE = Sample.of(np.arange(7), np.zeros(7))


def test_values_are_classes_and_rare_ones_are_masked():
    objective = Labels(1.0, ["brand"], min_rows=2)
    objective.adapt({"brand": BRANDS})
    found = objective.targets(SAMPLE, {"brand": BRANDS})
    np.testing.assert_array_equal(found["label_brand"], [0, 1, -1, 0, -1, 1, 0])
    # Of other rows, the values that training has seen.
    other = objective.targets(SAMPLE, {"brand": np.array(["new", *BRANDS[1:]])})
    assert other["label_brand"][0] == -1


def test_loss_is_the_mean_over_rows_with_a_known_value():
    logits = np.random.default_rng(0).normal(size=(4, 3)).astype(np.float32)
    loss = Labels(1.0, ["brand"]).losses()["label_brand"]
    log_scores = logits - np.log(np.exp(logits).sum(axis=1, keepdims=True))
    expected = -(log_scores[0, 2] + log_scores[3, 0]) / 2
    found = float(loss(np.array([2, -1, -1, 0]), logits))
    assert found == pytest.approx(expected, rel=1e-5)
    assert float(loss(np.full(4, -1), logits)) == 0


def test_a_column_with_one_value_is_refused():
    with pytest.raises(ValueError, match=r"'brand'.*at least two values of 3 training rows"):
        Labels(1.0, ["brand"], min_rows=3).adapt({"brand": BRANDS})


@pytest.mark.parametrize("columns", ["brand", []])
def test_columns_are_a_list(columns):
    with pytest.raises(ValueError, match=r"a list of columns such as \['brand'\]"):
        Labels(1.0, columns)

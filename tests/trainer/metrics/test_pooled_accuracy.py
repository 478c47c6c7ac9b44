import numpy as np
import pytest

from trainer.metrics.pooled_accuracy import PooledAccuracy


def test_is_the_accuracy_of_the_mean_vote_over_batches():
    rng = np.random.default_rng(0)
    votes = rng.normal(size=(50, 3, 4)).astype(np.float32)
    class_ids = rng.integers(0, 4, 50)
    metric = PooledAccuracy()
    for start in range(0, 50, 16):
        metric.update_state(class_ids[start : start + 16], votes[start : start + 16])
    expected = (votes.mean(axis=1).argmax(axis=1) == class_ids).mean()
    assert float(metric.result()) == pytest.approx(expected)
    soft = PooledAccuracy()
    soft.update_state(np.eye(4)[class_ids] * 0.7 + 0.075, votes)
    assert float(soft.result()) == pytest.approx(expected)
    assert metric.name == "accuracy"

import numpy as np
import pytest

from trainer.features import StackedRows, array_batches
from trainer.sample import Sample
from trainer.sampling import SAMPLINGS, draw_rates, draw_times

COUNTS = np.array([90, 9, 0, 1])
CLASS_IDS = np.random.default_rng(0).permutation(np.repeat(np.arange(4), COUNTS))
SAMPLE = Sample.of(np.arange(100), CLASS_IDS)
SHARES = {
    "rows": COUNTS / 100,
    "square_root": np.sqrt(COUNTS) / np.sqrt(COUNTS).sum(),
    "balanced": (COUNTS > 0) / 3,
}


@pytest.mark.parametrize("sampling", SAMPLINGS)
def test_classes_come_in_their_shares(sampling):
    rates = draw_rates(SAMPLE, sampling)
    np.testing.assert_allclose(np.bincount(CLASS_IDS, rates), 100 * SHARES[sampling])
    for epoch in range(5):
        times = draw_times(SAMPLE, sampling, 3, epoch)
        assert times.sum() == 100
        assert (np.abs(times - rates) < 1).all(), "a row comes too often or too seldom"
        drawn = np.bincount(CLASS_IDS, times)
        assert (np.abs(drawn - 100 * SHARES[sampling]) < 1 + 1e-9).all()


def test_all_rows_once_is_the_table_itself():
    assert (draw_times(SAMPLE, "rows", 0, 0) == 1).all()


def test_epochs_differ_and_seeds_repeat_them():
    draws = [draw_times(SAMPLE, "balanced", 3, epoch) for epoch in range(300)]
    assert (draws[7] == draw_times(SAMPLE, "balanced", 3, 7)).all()
    assert (draws[7] != draws[8]).any()
    assert (draws[7] != draw_times(SAMPLE, "balanced", 4, 7)).any()
    # No row of a large class is left behind.
    mean = np.mean(draws, axis=0)
    np.testing.assert_allclose(mean, draw_rates(SAMPLE, "balanced"), atol=0.15)


def test_batches_of_arrays_come_as_drawn():
    arrays = {"x": StackedRows([np.arange(100)])}
    data = array_batches(arrays, SAMPLE, 10, seed=3, sampling="balanced", first_epoch=2)
    batches = list(data.take(20).as_numpy_iterator())
    for epoch, half in ((2, batches[:10]), (3, batches[10:])):
        drawn = np.concatenate([tensors["x"] for tensors, _, _ in half])
        expected = draw_times(SAMPLE, "balanced", 3, epoch)
        assert (np.bincount(drawn, minlength=100) == expected).all()
        assert (np.diff(drawn) < 0).any(), "rows come in their order"


def test_rows_of_less_weight_are_less_of_a_class():
    sample = Sample.of(np.arange(7), [0, 0, 0, 0, 1, 1, 2], [1, 1, 1, 1, 0.5, 0.5, 0.25])
    rates = draw_rates(sample, "balanced")
    total = np.bincount(sample.class_ids, sample.weights * rates)
    np.testing.assert_allclose(total / total[0], [1, 1, 0.25])

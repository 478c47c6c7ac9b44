import numpy as np
import pytest

from trainer.sample import Sample


def test_rows_keep_their_class_and_weight_in_any_order():
    sample = Sample.of([5, 1, 3], [0, 1, 2], [0.5, 1.0, 2.0])
    assert sample.rows.tolist() == [1, 3, 5]
    assert sample.class_ids.tolist() == [1, 2, 0]
    assert sample.weights.tolist() == [1.0, 2.0, 0.5]


def test_a_sum_holds_the_rows_of_both():
    both = Sample.of([5, 1], [0, 1]) + Sample.of([3], [2], [0.5])
    assert both.rows.tolist() == [1, 3, 5]
    assert both.weights.tolist() == [1.0, 0.5, 1.0]
    with pytest.raises(ValueError, match="none twice"):
        both + Sample.of([3], [2])


def test_in_a_sum_classes_are_answers_that_are_sure():
    shares = np.array([[0.2, 0.8], [0.6, 0.4]])
    both = Sample.of([5, 1], [0, 1]) + Sample.of([3, 2], [1, 0], answers=shares)
    assert both.rows.tolist() == [1, 2, 3, 5]
    np.testing.assert_allclose(both.targets(), [[0, 1], [0.6, 0.4], [0.2, 0.8], [1, 0]])
    assert both.class_ids.tolist() == [1, 0, 1, 0]


def test_every_row_needs_a_class():
    with pytest.raises(ValueError, match=r"sizes \[2, 1, 2\]"):
        Sample(np.arange(2), np.zeros(1), np.ones(2))


def test_the_digest_tells_rows_classes_and_weights_apart():
    samples = [
        Sample.of([1, 2], [0, 1]),
        Sample.of([1, 3], [0, 1]),
        Sample.of([1, 2], [0, 0]),
        Sample.of([1, 2], [0, 1], [1, 0.5]),
    ]
    assert len({sample.digest() for sample in samples}) == 4
    assert samples[0].digest() == Sample.of([2, 1], [1, 0]).digest()

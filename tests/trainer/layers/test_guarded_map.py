import numpy as np
import tensorflow as tf

from trainer.layers.guarded_map import map_guarded

BLANK = (tf.constant([-1.0, -1.0]), tf.constant(False))


def halve(value):
    number = tf.strings.to_number(value)
    return tf.stack([number, number / 2]), True


@tf.function(input_signature=[tf.TensorSpec([None], tf.string)])
def run(values):
    return map_guarded(halve, values, BLANK)


def test_a_row_that_fails_is_blank_and_the_others_stay():
    numbers, found = run(tf.constant(["2", "two", "8", ""]))
    np.testing.assert_array_equal(numbers, [[2, 1], [-1, -1], [8, 4], [-1, -1]])
    np.testing.assert_array_equal(found, [True, False, True, False])


def test_takes_batches_of_which_all_fail_and_of_none():
    numbers, found = run(tf.constant(["a", "b"]))
    np.testing.assert_array_equal(numbers, [[-1, -1], [-1, -1]])
    assert not found.numpy().any()
    numbers, found = run(tf.constant([], tf.string))
    assert numbers.shape == (0, 2)
    assert found.shape == (0,)


def test_eager_calls_are_the_same():
    numbers, _ = map_guarded(halve, tf.constant(["2", "x"]), BLANK)
    np.testing.assert_array_equal(numbers, [[2, 1], [-1, -1]])

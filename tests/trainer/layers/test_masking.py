import numpy as np
import tensorflow as tf

from trainer.layers.masking import mask_absent


def test_absent_rows_become_zeros_whatever_they_held():
    embedding = tf.constant([[1.0, -2.0], [np.nan, np.inf], [3.0, 4.0]])
    masked = mask_absent(embedding, tf.constant([True, False, True]))
    np.testing.assert_array_equal(masked, [[1, -2], [0, 0], [3, 4]])


def test_absent_rows_send_no_gradient_back():
    embedding = tf.constant([[1.0, -2.0], [np.nan, np.inf]])
    with tf.GradientTape() as tape:
        tape.watch(embedding)
        total = tf.reduce_sum(mask_absent(embedding, tf.constant([True, False])))
    np.testing.assert_array_equal(tape.gradient(total, embedding), [[1, 1], [0, 0]])

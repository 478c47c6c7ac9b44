import keras
import numpy as np
import tensorflow as tf

from trainer.layers.weighted_bag import WeightedBag

NUM_TERMS, DIM = 7, 3


def make_layer():
    layer = WeightedBag(NUM_TERMS, DIM)
    layer.build()
    layer.set_weights([np.random.default_rng(0).normal(size=(NUM_TERMS, DIM))])
    return layer


def make_rows():
    rng = np.random.default_rng(1)
    term_ids = rng.integers(0, NUM_TERMS, (5, 4))
    weights = rng.normal(size=(5, 4)).astype(np.float32)
    weights[:, -1] = 0  # padding
    weights[2] = 0  # a row without terms
    return term_ids.astype(np.int32), weights


def test_equals_the_dense_product():
    layer = make_layer()
    term_ids, weights = make_rows()
    dense = np.zeros((len(term_ids), NUM_TERMS))
    for row, (row_ids, row_weights) in enumerate(zip(term_ids, weights, strict=True)):
        np.add.at(dense[row], row_ids, row_weights)
    expected = dense @ layer.get_weights()[0]
    np.testing.assert_allclose(layer(term_ids, weights), expected, atol=1e-6)
    np.testing.assert_array_equal(expected[2], np.zeros(DIM))


def test_gradients_are_those_of_the_dense_product():
    layer = make_layer()
    term_ids, weights = make_rows()
    factors = np.random.default_rng(2).normal(size=(5, DIM)).astype(np.float32)
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(layer(term_ids, weights) * factors)
    dense = np.zeros((len(term_ids), NUM_TERMS))
    for row, (row_ids, row_weights) in enumerate(zip(term_ids, weights, strict=True)):
        np.add.at(dense[row], row_ids, row_weights)
    found = tape.gradient(loss, layer.trainable_variables[0])
    np.testing.assert_allclose(found, dense.T @ factors, atol=1e-5)


def test_a_batch_without_any_term_gives_zeros():
    empty = np.zeros((2, 0), np.int32)
    np.testing.assert_array_equal(make_layer()(empty, empty.astype(np.float32)), np.zeros((2, DIM)))


def test_comes_back_from_a_file_with_any_number_of_terms(tmp_path):
    term_ids = keras.Input([None], dtype="int32")
    weights = keras.Input([None], dtype="float32")
    model = keras.Model([term_ids, weights], make_layer()(term_ids, weights))
    model.save(tmp_path / "m.keras")
    loaded = keras.models.load_model(tmp_path / "m.keras")
    rows = make_rows()
    for width in (0, 1, 4):
        part = [array[:, :width] for array in rows]
        np.testing.assert_allclose(loaded(part), model(part), atol=1e-6)

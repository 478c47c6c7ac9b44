"""What every registered fusion must do; a new file in trainer/fusion is tested unasked."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from trainer.registry import FUSIONS

WIDTHS = {"image": 5, "price": 1, "text": 3}
ROWS = 6
# Small dimensions where the defaults are large.
OPTIONS = {
    "gated": {"projection_dim": 8},
    "cross_attention": {"projection_dim": 8, "num_heads": 2},
}
PRESENT = np.array(  # rows x modalities: all, each alone, a pair, none
    [[1, 1, 1], [1, 0, 0], [0, 1, 0], [0, 0, 1], [1, 0, 1], [0, 0, 0]], bool
)


@pytest.fixture(scope="module", params=FUSIONS.names())
def kind(request):
    return request.param


def make_embeddings(seed=0):
    rng = np.random.default_rng(seed)
    return {
        name: tf.constant(rng.normal(size=(ROWS, width)), tf.float32)
        for name, width in WIDTHS.items()
    }


def make_present(present=PRESENT):
    return {name: tf.constant(present[:, i]) for i, name in enumerate(sorted(WIDTHS))}


@pytest.fixture(scope="module")
def fusion(kind):
    keras.utils.set_random_seed(0)
    layer = FUSIONS.get(kind)(**OPTIONS.get(kind, {}), name="fusion")
    layer(make_embeddings(), make_present())
    rng = np.random.default_rng(1)
    # Zero biases would hide what they do.
    layer.set_weights(
        [weight + 0.1 * rng.normal(size=weight.shape) for weight in layer.get_weights()]
    )
    return layer


def test_needs_no_options(kind):
    assert FUSIONS.get(kind)().get_config()


def test_gives_one_vector_a_row_as_wide_as_announced(fusion):
    fused = fusion(make_embeddings(), make_present())
    assert fused.dtype == tf.float32
    inputs = [{name: keras.Input([width]) for name, width in WIDTHS.items()}]
    inputs.append({name: keras.Input([], dtype="bool") for name in WIDTHS})
    assert fused.shape == (ROWS, fusion(*inputs).shape[-1])


def test_all_modalities_count_where_they_are_present(fusion):
    before = fusion(make_embeddings(), make_present()).numpy()
    for index, name in enumerate(sorted(WIDTHS)):
        changed = make_embeddings()
        changed[name] = changed[name] + 1.0
        difference = np.abs(fusion(changed, make_present()).numpy() - before).max(axis=1)
        assert (difference[PRESENT[:, index]] > 1e-4).all(), name


@pytest.mark.parametrize("junk", [np.nan, np.inf, 1e30])
def test_values_of_absent_embeddings_never_matter(fusion, junk):
    expected = fusion(make_embeddings(), make_present()).numpy()
    embeddings = {
        name: tf.where(PRESENT[:, index, None], values, junk)
        for index, (name, values) in enumerate(sorted(make_embeddings().items()))
    }
    np.testing.assert_array_equal(fusion(embeddings, make_present()), expected)


def test_rows_with_nothing_are_finite_and_all_alike(fusion):
    fused = fusion(make_embeddings(), make_present(np.zeros_like(PRESENT))).numpy()
    assert np.isfinite(fused).all()
    np.testing.assert_allclose(fused, fused[:1].repeat(ROWS, axis=0), atol=1e-6)


def test_rows_do_not_depend_on_their_batch(fusion):
    embeddings, present = make_embeddings(), make_present()
    together = fusion(embeddings, present).numpy()
    for row in range(ROWS):
        one = slice(row, row + 1)
        alone = fusion(
            {name: values[one] for name, values in embeddings.items()},
            {name: values[one] for name, values in present.items()},
        )
        np.testing.assert_allclose(alone[0], together[row], atol=1e-5)


def test_order_of_the_dictionaries_does_not_matter(fusion):
    embeddings, present = make_embeddings(), make_present()
    turned = fusion(dict(reversed(embeddings.items())), dict(reversed(present.items())))
    np.testing.assert_array_equal(turned, fusion(embeddings, present))


def test_config_round_trip(kind):
    layer = FUSIONS.get(kind)(**OPTIONS.get(kind, {}), name="f")
    restored = FUSIONS.get(kind).from_config(layer.get_config())
    assert restored.get_config() == layer.get_config()
    for option, value in OPTIONS.get(kind, {}).items():
        assert restored.get_config()[option] == value


def test_comes_back_from_a_file(fusion, tmp_path):
    embeddings = {name: keras.Input([width], name=name) for name, width in WIDTHS.items()}
    present = {
        name: keras.Input([], dtype="bool", name=f"{name}_present") for name in sorted(WIDTHS)
    }
    inputs = {**embeddings, **{tensor.name: tensor for tensor in present.values()}}
    model = keras.Model(inputs, fusion(embeddings, present))
    model.save(tmp_path / "m.keras")
    loaded = keras.models.load_model(tmp_path / "m.keras")
    values = {**make_embeddings(), **{f"{k}_present": v for k, v in make_present().items()}}
    np.testing.assert_allclose(loaded(values), model(values), atol=1e-6)


def test_gradients_reach_every_weight_and_are_finite(fusion):
    embeddings = make_embeddings()
    embeddings["price"] = tf.where(PRESENT[:, 1, None], embeddings["price"], np.nan)
    target = tf.random.stateless_normal(fusion(embeddings, make_present()).shape, seed=(0, 1))
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(fusion(embeddings, make_present(), training=False) * target)
    weights = fusion.trainable_weights
    for weight, gradient in zip(
        weights, tape.gradient(loss, [w.value for w in weights]), strict=True
    ):
        assert gradient is not None, weight.path
        assert np.isfinite(gradient).all(), weight.path
        # What is added to all keys shifts all attention scores alike: no effect, by mathematics.
        if not weight.path.endswith("key/bias"):
            assert np.abs(gradient).max() > 1e-6, weight.path


def test_runs_in_half_precision(kind):
    layer = FUSIONS.get(kind)(**OPTIONS.get(kind, {}), dtype="mixed_bfloat16")
    fused = layer(make_embeddings(), make_present())
    assert fused.dtype == tf.bfloat16
    assert np.isfinite(tf.cast(fused, tf.float32)).all()

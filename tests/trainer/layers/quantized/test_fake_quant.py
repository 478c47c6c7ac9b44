import keras
import numpy as np
import pytest
import tensorflow as tf

from trainer.layers.quantized.fake_quant import (
    FakeQuant,
    is_quantized,
    quantize_channels,
    quantize_table,
)


def rounded(values: np.ndarray, low: float, high: float) -> np.ndarray:
    """The affine grid of 256 values, moved so that zero is one of them."""
    step = (high - low) / 255
    zero = np.round(-low / step)
    return (np.clip(np.round(values / step) + zero, 0, 255) - zero) * step


def calibrated(*batches: np.ndarray, **options: object) -> FakeQuant:
    quantizer = FakeQuant(**options)
    quantizer.build()
    quantizer.observing = True
    for batch in batches:
        quantizer(tf.constant(batch))
    quantizer.settle()
    return quantizer


def test_values_lie_on_the_grid_of_the_observed_range() -> None:
    rng = np.random.default_rng(0)
    batches = rng.normal(1, 2, (3, 50)).astype(np.float32)
    quantizer = calibrated(*batches)
    values = rng.normal(1, 4, 400).astype(np.float32)
    expected = rounded(values, batches.min(), batches.max())
    step = (batches.max() - batches.min()) / 255
    found = quantizer(tf.constant(values)).numpy()
    # Halves may round either way.
    assert np.abs(found - expected).max() <= step * 1.001
    assert np.mean(np.abs(found - expected) < step / 100) > 0.99
    inside = (values > batches.min()) & (values < batches.max())
    assert np.abs(found - values)[inside].max() <= step * 0.51 + 1e-6


def test_zero_stays_zero_where_all_values_are_positive() -> None:
    quantizer = calibrated(np.array([3.0, 5.0], np.float32))
    assert quantizer(tf.constant([0.0, 5.0])).numpy() == pytest.approx([0, 5])


def test_gradients_pass_inside_the_range_and_stop_outside() -> None:
    quantizer = calibrated(np.array([-1.0, 2.0], np.float32))
    values = tf.constant([-5.0, -0.9, 0.3, 1.9, 7.0])
    with tf.GradientTape() as tape:
        tape.watch(values)
        total = tf.reduce_sum(quantizer(values) * [1.0, 2.0, 3.0, 4.0, 5.0])
    assert tape.gradient(total, values).numpy().tolist() == [0, 2, 3, 4, 0]


def test_passes_values_unchanged_before_it_was_calibrated() -> None:
    quantizer = FakeQuant()
    values = tf.constant([0.1234567])
    assert quantizer(values) is values


def test_what_is_on_a_grid_is_not_rounded_again() -> None:
    fine, coarse = calibrated(np.float32([1.0])), calibrated(np.float32([1000.0]))
    values = fine(tf.constant([0.3]))
    assert is_quantized(values)
    assert coarse(values) is values


def test_the_range_follows_in_training_only() -> None:
    quantizer = calibrated(np.float32([-1.0, 1.0]), decay=0.9)
    quantizer(tf.constant([-3.0, 5.0]))
    assert float(quantizer.high.value) == pytest.approx(1.0)
    quantizer(tf.constant([-3.0, 5.0]), training=True)
    assert float(quantizer.low.value) == pytest.approx(0.9 * -1 + 0.1 * -3)
    assert float(quantizer.high.value) == pytest.approx(0.9 * 1 + 0.1 * 5)


def test_batches_of_small_values_leave_the_range_as_it_is() -> None:
    quantizer = calibrated(np.float32([-1.0, 2.0]), decay=0.9)
    for _ in range(100):
        quantizer(tf.constant([-0.1, 0.2]), training=True)
    assert float(quantizer.low.value) == -1.0
    assert float(quantizer.high.value) == 2.0


def test_a_fixed_range_needs_no_calibration_and_follows_nothing() -> None:
    quantizer = FakeQuant(fixed=(0.0, 1.0))
    quantizer.build()
    quantizer(tf.constant([9.0]), training=True)
    assert quantizer(tf.constant([0.302])).numpy() == pytest.approx([77 / 255])


def test_scales_make_channels_alike() -> None:
    rng = np.random.default_rng(1)
    values = rng.uniform(-1, 1, (200, 3)).astype(np.float32) * [1, 10, 100]
    values[0] = [1, 10, 100]
    quantizer = calibrated(values.astype(np.float32), channels=3)
    scales = quantizer.scales.numpy()
    # The smallest is never divided by less than an eighth of the middle one.
    assert scales == pytest.approx([10 / 8 / 100, 0.1, 1.0], rel=0.01)
    error = np.abs(quantizer(tf.constant(values / scales, tf.float32)) * scales - values)
    plain = np.abs(calibrated(values.astype(np.float32))(tf.constant(values, tf.float32)) - values)
    assert error[:, 1].mean() < plain[:, 1].mean() / 5
    assert error[:, 2].mean() == pytest.approx(plain[:, 2].mean(), rel=0.2)


def test_half_strength_takes_the_root_of_the_scales() -> None:
    values = np.float32([[4.0, 100.0], [-4.0, -25.0]])
    quantizer = calibrated(values, channels=2, strength=0.5)
    assert quantizer.scales.numpy() == pytest.approx([np.sqrt(52 / 8 / 100), 1], rel=0.01)
    assert float(quantizer.high.value) == pytest.approx(100)


@pytest.mark.parametrize("shape", [(5, 7), (3, 3, 5, 7)])
def test_weights_are_rounded_to_255_steps_of_each_channel(shape: tuple[int, ...]) -> None:
    rng = np.random.default_rng(2)
    kernel = (rng.normal(size=shape) * 10.0 ** rng.integers(-3, 3, shape[-1])).astype(np.float32)
    largest = np.abs(kernel).reshape(-1, shape[-1]).max(axis=0)
    step = largest / 127
    found = quantize_channels(tf.constant(kernel)).numpy()
    assert found == pytest.approx(np.round(kernel / step) * step, rel=1e-4, abs=1e-7)
    # The largest of each channel is on the grid itself.
    assert np.abs(found).reshape(-1, shape[-1]).max(axis=0) == pytest.approx(largest, rel=1e-5)


def test_gradients_of_weights_are_those_of_the_identity() -> None:
    kernel = tf.constant(np.random.default_rng(3).normal(size=(4, 6)), tf.float32)
    factors = tf.reshape(tf.range(24.0), (4, 6))
    for quantize in (quantize_channels, quantize_table):
        with tf.GradientTape() as tape:
            tape.watch(kernel)
            total = tf.reduce_sum(quantize(kernel) * factors)
        assert tape.gradient(total, kernel).numpy() == pytest.approx(factors.numpy())


def test_weights_of_zero_stay_zero() -> None:
    assert not quantize_channels(tf.zeros((3, 2))).numpy().any()
    assert not quantize_table(tf.zeros((3, 2))).numpy().any()


def test_a_loaded_range_is_taken_note_of() -> None:
    source, target = calibrated(np.float32([-2.0, 3.0])), FakeQuant()
    target.build()
    for own, other in zip(target.weights, source.weights, strict=True):
        own.assign(other)
    values = keras.ops.convert_to_tensor([0.111])
    assert target(values) is values
    target.refresh()
    assert target(values).numpy() == pytest.approx(source(values).numpy())


def test_a_centred_range_has_as_many_steps_as_integers_on_either_side() -> None:
    quantizer = FakeQuant(centred=True)
    quantizer.build()
    quantizer.observing = True
    quantizer(np.float32([-0.25, 1.27]))
    quantizer.settle()
    found = quantizer(np.float32([-1.29, -0.254, 0.0, 0.006, 1.4])).numpy()
    np.testing.assert_allclose(found, [-1.28, -0.25, 0.0, 0.01, 1.27], atol=1e-6)

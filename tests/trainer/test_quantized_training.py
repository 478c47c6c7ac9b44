"""Training of quantized networks, on one that is drawn."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf

from trainer.callbacks.quantizer_ranges import find_quantizers
from trainer.config import TrainConfig
from trainer.layers.perturbation import embedding_point
from trainer.quantized_training import train_quantized
from trainer.records import write_records
from trainer.registry import QUANTIZERS

layers = keras.layers
RNG = np.random.default_rng(0)
ROWS = {"x": RNG.normal(size=(64, 6, 6, 2)).astype(np.float32)}


def build() -> keras.Model:
    """Returns a network with a convolution, a normalisation, dropout and a head."""
    keras.utils.set_random_seed(0)
    read = keras.Input((6, 6, 2), name="x")
    x = layers.Conv2D(8, 3, use_bias=False, name="conv")(read)
    norm = layers.BatchNormalization(name="norm")
    x = layers.GlobalAveragePooling2D(name="mean")(layers.ReLU(name="relu")(norm(x)))
    x = layers.Dropout(0.5, name="drop")(layers.Dense(16, "gelu", name="hidden")(x))
    logits = layers.Dense(4, name="head", kernel_regularizer="l2")(x)
    norm.moving_variance.assign(np.linspace(0.01, 3, 8))
    return keras.Model({"x": read}, {"logits": 8 * logits, "scores": layers.Softmax()(8 * logits)})


def prepare(**options: object) -> tuple[keras.Model, object]:
    network, quantizer = build(), QUANTIZERS.make("qat_int8", options)
    quantizer.prepare(network, [ROWS])
    return network, quantizer


@pytest.fixture(scope="module")
def lessons(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Returns records of all rows and the answers of the float network to them."""
    folder = tmp_path_factory.mktemp("lessons") / "lessons"
    answers = build()(ROWS)["logits"].numpy()
    rows = [
        {"x": x, "target-": of, "weight": 1.0} for x, of in zip(ROWS["x"], answers, strict=True)
    ]
    specs = {
        "x": tf.TensorSpec((6, 6, 2), tf.float32),
        "target-": tf.TensorSpec((4,), tf.float32),
        "weight": tf.TensorSpec((), tf.float32),
    }
    write_records(folder, rows, specs)
    return folder


def cost(network: keras.Model) -> float:
    """Returns how far logits are from the float network's, apart from a common shift, in NumPy."""
    moved = network(ROWS, training=False)["logits"].numpy() - build()(ROWS)["logits"].numpy()
    return float(np.mean(np.var(moved, axis=1)))


def test_it_learns_the_answers_of_the_float_network(lessons, tmp_path) -> None:
    network, quantizer = prepare(epochs=8, learning_rate=1e-3, keep_float="norm")
    kernel = next(of for of in network.layers if of.name == "hidden")._kernel
    # As if rounding had moved it: what training can mend, calibration cannot.
    kernel.assign(kernel + 0.05 * np.sign(np.sin(np.arange(kernel.shape[1]))))
    before = cost(network)
    result = train_quantized(network, quantizer, lessons, TrainConfig(), folder=tmp_path)
    assert cost(network) < before / 4
    assert len(result.history) == 8
    # Nothing of dropout or penalties is in it.
    assert result.history[-1]["loss"] == pytest.approx(cost(network), rel=0.2)


def test_stopped_and_gone_on_with_it_is_as_if_never_stopped(lessons, tmp_path) -> None:
    def train(epochs_at_once: list[int], folder: Path) -> list[np.ndarray]:
        for stop in epochs_at_once:
            network, quantizer = prepare(epochs=4, learning_rate=1e-3)
            stopped = StopAfter(stop)
            try:
                train_quantized(
                    network, quantizer, lessons, TrainConfig(), folder=folder, listeners=[stopped]
                )
            except KeyboardInterrupt:
                assert stop < 4
        return [of.numpy() for of in network.variables]

    class StopAfter(keras.callbacks.Callback):
        def __init__(self, epochs: int) -> None:
            super().__init__()
            self.epochs = epochs

        def on_train_batch_begin(self, batch: int, logs: object = None) -> None:
            done = int(self.model.optimizer.iterations)
            if self.epochs < 4 and done >= 4 * self.epochs + 1:
                raise KeyboardInterrupt

    whole = train([4], tmp_path / "whole")
    parts = train([1, 3, 4], tmp_path / "parts")
    for one, other in zip(whole, parts, strict=True):
        np.testing.assert_array_equal(one, other)
    assert not np.array_equal(whole[0], prepare()[0].variables[0].numpy())


def test_ranges_follow_and_are_shown(lessons, tmp_path) -> None:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    network, quantizer = prepare(epochs=2, learning_rate=1e-3)
    first = {name: float(of.high.numpy()) for name, of in find_quantizers(network).items()}
    train_quantized(
        network,
        quantizer,
        lessons,
        TrainConfig(),
        folder=tmp_path / "stage",
        logs=tmp_path / "logs",
    )
    events = EventAccumulator(str(tmp_path / "logs"), {"tensors": 0}).Reload()
    found = find_quantizers(network)
    shown = {
        tag.removesuffix("/high"): [
            float(tf.make_ndarray(event.tensor_proto)) for event in events.Tensors(tag)
        ]
        for tag in events.Tags()["tensors"]
        if tag.endswith("/high")
    }
    assert set(shown) == {name for name, of in found.items() if of.is_set} and shown
    for name, values in shown.items():
        assert len(values) == 2
        assert values[-1] == pytest.approx(float(found[name].high.numpy()))
    assert any(values[-1] != first[name] for name, values in shown.items())
    (folded,) = events.Tensors("folded")
    assert b"norm" in tf.make_ndarray(folded.tensor_proto).item()


def test_it_goes_together_with_adversarial_regularization(lessons, tmp_path) -> None:
    network, quantizer = prepare(epochs=2, learning_rate=1e-3)
    mean = next(of for of in network.layers if of.name == "mean")
    config = TrainConfig(regularization="fgsm", regularization_options={"multiplier": 1.0})
    result = train_quantized(
        network,
        quantizer,
        lessons,
        config,
        folder=tmp_path,
        points=[embedding_point("image", mean)],
    )
    for epoch in result.history:
        assert epoch["adversarial_loss"] > epoch["loss"]


@pytest.mark.slow
def test_two_replicas_learn_what_one_learns(lessons, tmp_path) -> None:
    code = f"""
import json, sys
from pathlib import Path
sys.path.insert(0, {str(Path(__file__).parent)!r})
import numpy as np, tensorflow as tf
devices = tf.config.list_physical_devices("CPU")
tf.config.set_logical_device_configuration(devices[0], [tf.config.LogicalDeviceConfiguration()] * 2)
from test_quantized_training import prepare, train_quantized, TrainConfig, find_quantizers
mirrored = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])
for strategy in (tf.distribute.get_strategy(), mirrored):
    with strategy.scope():
        network, quantizer = prepare(epochs=2, learning_rate=1e-3)
        # Far from what is to be learned, the loss is not one of rounding alone.
        kernel = next(of for of in network.layers if of.name == "hidden")._kernel
        kernel.assign(kernel + 0.3 * (-1.0) ** np.arange(kernel.shape[1]))
        folder = Path({str(tmp_path)!r}, str(strategy.num_replicas_in_sync))
        result = train_quantized(network, quantizer, Path({str(lessons)!r}), TrainConfig(),
                                 folder=folder)
        ends = {{name: of.high.numpy().item() for name, of in find_quantizers(network).items()}}
        print(json.dumps([[epoch["loss"] for epoch in result.history], ends]))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    (one, ends), (two, other_ends) = map(json.loads, done.stdout.splitlines())
    assert two == pytest.approx(one, rel=0.02)
    # Each replica sees half of the batch, whose largest value is no larger.
    assert other_ends == pytest.approx(ends, rel=0.05)
    assert other_ends != ends

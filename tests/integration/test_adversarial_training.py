"""Adversarial training through `fit_network`: what is perturbed, logged, resumed and learned."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf

from trainer.config import load_config
from trainer.layers.perturbation import embedding_point
from trainer.losses.crossentropy import Crossentropy
from trainer.overrides import apply_overrides
from trainer.registry import REGULARIZERS
from trainer.regularized_model import RegularizedModel
from trainer.run import Run

SETTINGS = (
    "data.label=category",
    "data.ignore=department,category_path,shelf,colour",
    "model.encoders.image.tiny_image.image_size=32",
    "train.head_epochs=2",
    "train.encoder_epochs=2",
    "train.batch_size=16",
    "train.study=False",
)


def make(shop: Path, workdir: Path, *settings: str) -> Run:
    config = apply_overrides(load_config("tiny"), [f"data.table={shop}", *SETTINGS, *settings])
    run = Run(config, workdir, quiet=True)
    run.prepare()
    return run


def toy(precision: str = "float32") -> tuple[RegularizedModel, dict, np.ndarray]:
    keras.utils.set_random_seed(0)
    rng = np.random.default_rng(0)
    inputs = keras.Input([6], name="text")
    hidden = keras.layers.Dense(8, activation="tanh", dtype=precision)(inputs)
    logits = keras.layers.Dense(3, kernel_regularizer=keras.regularizers.L2(0.01), dtype="float32")(
        hidden
    )
    model = RegularizedModel({"text": inputs}, keras.ops.expand_dims(logits, 1))
    x = rng.normal(size=(16, 6)).astype(np.float32)
    return model, {"text": x}, rng.integers(0, 3, 16)


def fit(model: RegularizedModel, x: dict, y: np.ndarray, name: str = "fgsm", **options) -> dict:
    regularizer = REGULARIZERS.make(name, options)
    model.regularize(regularizer, [embedding_point("text", "text")], Crossentropy())
    model.compile(keras.optimizers.SGD(0.1), Crossentropy(), jit_compile=False)
    data = tf.data.Dataset.from_tensor_slices((x, y)).batch(16)
    return model.fit(data, epochs=3, shuffle=False, verbose=0, validation_data=data).history


def test_logged_losses_are_the_true_ones():
    """`loss` is the one of the batch with its penalty; no figure of an attack is in `val_`."""
    model, x, y = toy()
    before = Crossentropy()(y, model(x)) + sum(model.losses)
    history = fit(model, x, y)
    np.testing.assert_allclose(history["loss"][0], before, rtol=1e-5)
    assert history["adversarial_loss"][0] > before - sum(toy()[0].losses)
    assert set(history) == {"loss", "adversarial_loss", "val_loss"}
    # The weights after an epoch are those that the next one begins with.
    np.testing.assert_allclose(history["val_loss"][:-1], history["loss"][1:], rtol=1e-5)


def test_a_step_of_no_length_changes_nothing():
    model, x, y = toy()
    fit(model, x, y, multiplier=1e-9)
    plain, _, _ = toy()
    other = keras.Model(plain.input, plain.output)
    other.compile(keras.optimizers.SGD(0.1), Crossentropy(), jit_compile=False)
    other.fit(
        tf.data.Dataset.from_tensor_slices((x, y)).batch(16), epochs=3, shuffle=False, verbose=0
    )
    for found, expected in zip(model.weights[:4], other.weights, strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6)


@pytest.mark.slow
def test_two_replicas_learn_what_one_learns():
    """Each sees half of the batch. What is drawn differs between them, so nothing is drawn."""
    code = f"""
import sys
sys.path.insert(0, {str(Path(__file__).parent)!r})
import numpy as np, tensorflow as tf
devices = tf.config.list_physical_devices("CPU")
tf.config.set_logical_device_configuration(devices[0], [tf.config.LogicalDeviceConfiguration()] * 2)
from test_adversarial_training import fit, toy
for name in ("fgsm", "pgd", "trades", "freelb"):
    options = {{"pgd_epsilon": 0.0}} if name in ("freelb", "trades") else {{}}
    found = []
    mirrored = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])
    for strategy in (tf.distribute.get_strategy(), mirrored):
        with strategy.scope():
            found.append(fit(*toy(), name, **options))
    assert strategy.num_replicas_in_sync == 2
    for figure in ("loss", "adversarial_loss", "val_loss"):
        one, two = (history[figure] for history in found)
        np.testing.assert_allclose(two, one, rtol=1e-4, atol=1e-7, err_msg=name + figure)
    print(name, one)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    assert len(done.stdout.splitlines()) == 4


def test_gradients_may_be_accumulated():
    model, x, y = toy()
    model.regularize(
        REGULARIZERS.make("fgsm", {}), [embedding_point("text", "text")], Crossentropy()
    )
    model.compile(
        keras.optimizers.SGD(0.1, gradient_accumulation_steps=4), Crossentropy(), jit_compile=False
    )
    data = tf.data.Dataset.from_tensor_slices((x, y))
    model.fit(data.batch(4), epochs=1, shuffle=False, verbose=0)
    reference, _, _ = toy()
    reference.regularize(
        REGULARIZERS.make("fgsm", {}), [embedding_point("text", "text")], Crossentropy()
    )
    reference.compile(keras.optimizers.SGD(0.1), Crossentropy(), jit_compile=False)
    reference.fit(data.batch(16), epochs=1, shuffle=False, verbose=0)
    for found, expected in zip(model.weights[:4], reference.weights[:4], strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("precision", ["mixed_bfloat16", "mixed_float16"])
def test_half_precision_learns(precision):
    model, x, y = toy(precision)
    model.regularize(
        REGULARIZERS.make("fgsm", {}), [embedding_point("text", "text")], Crossentropy()
    )
    optimizer: keras.optimizers.Optimizer = keras.optimizers.SGD(0.1)
    if precision == "mixed_float16":
        optimizer = keras.optimizers.LossScaleOptimizer(optimizer, initial_scale=2.0**8)
    model.compile(optimizer, Crossentropy(), jit_compile=False)
    data = tf.data.Dataset.from_tensor_slices((x, y)).batch(16)
    history = model.fit(data, epochs=3, shuffle=False, verbose=0).history
    full = fit(*toy())
    np.testing.assert_allclose(history["loss"], full["loss"], rtol=0.02)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "tuning"),
    [("fgsm", "frozen"), ("pgd", "lora"), ("freelb", "full"), ("trades", "lora"), ("vat", "full")],
)
def test_each_regularizer_trains_each_stage(name, tuning, shop, tiny_bert, tmp_path, monkeypatch):
    seen: dict[str, set[str]] = {}
    draw = REGULARIZERS.get(name).draw_kinds

    def spy(self, points):
        seen.setdefault("all", set()).update(point.name for point in points)
        return draw(self, points)

    monkeypatch.setattr(REGULARIZERS.get(name), "draw_kinds", spy)
    bert = {"weights": tiny_bert, "max_tokens": 8, "tuning": tuning}
    run = make(
        shop,
        tmp_path,
        f"model.encoders.text={ {'bert': bert, 'ngram': {'dim': 8}} }",
        f"train.regularization={name}",
        "train.average=ema",
    )
    network = run.fit(run.sample("train"), run.sample("eval"))
    for epoch in network.history:
        assert np.isfinite([epoch["loss"], epoch["adversarial_loss"]]).all()
    expected = {"pixels", "text_embedding", "number_embedding"}
    assert seen["all"] == expected | ({"tokens"} if tuning != "frozen" else set())
    again = run.fit(run.sample("train"), run.sample("eval"))
    assert [epoch["loss"] for epoch in again.history] == [
        epoch["loss"] for epoch in network.history
    ]


@pytest.mark.slow
def test_an_interrupted_stage_goes_on_as_if_nothing_had_been(shop, tmp_path):
    """What regularizers draw is saved with the weights."""

    class Stop(Exception):
        pass

    def stop(stage, epoch, figures):
        if epoch == 3:
            raise Stop

    settings = ("train.regularization=freelb", "train.head_epochs=5", "train.deterministic=true")
    whole = make(shop, tmp_path / "whole", *settings)
    expected = whole.fit(whole.sample("train"), whole.sample("eval"))
    cut = make(shop, tmp_path / "cut", *settings)
    with pytest.raises(Stop):
        cut.fit(cut.sample("train"), cut.sample("eval"), on_epoch=stop)
    found = cut.fit(cut.sample("train"), cut.sample("eval"))
    names = ("loss", "adversarial_loss", "val_loss")
    for old, new in zip(expected.history, found.history, strict=True):
        np.testing.assert_allclose([new[n] for n in names], [old[n] for n in names], rtol=1e-5)


def test_regularizers_that_do_not_fit_are_refused_before_training(shop, tmp_path):
    for settings, message in {
        ("train.regularization=fgms",): "Did you mean 'fgsm'",
        ("train.regularization=pgd", "train.regularization_options={'steps': 2}"): "pgd_iterations",
        (
            "train.regularization=pgd",
            "train.regularization_options={'modalities': ['audio']}",
        ): r"options\.modalities.*'audio'",
    }.items():
        with pytest.raises(ValueError, match=message):
            make(shop, tmp_path / "w", *settings)

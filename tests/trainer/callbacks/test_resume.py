import functools
import json
import shutil

import keras
import numpy as np
import pytest

from trainer.callbacks.resume import Resume
from trainer.config import TrainConfig
from trainer.features import array_batches
from trainer.layers.modality_dropout import ModalityDropout
from trainer.sample import Sample
from trainer.stage import run_stage

EPOCHS = 5
CONFIG = TrainConfig(batch_size=8, l2=0.01, label_smoothing=0.1, weight_decay=0.01)
RNG = np.random.default_rng(0)
X = RNG.normal(size=(30, 4)).astype(np.float32)
CLASS_IDS = (X[:, 0] > 0).astype(np.int32)


class Killed(Exception):
    pass


def build_model():
    """A model with every kind of state: dropouts of several kinds and batch statistics."""
    keras.utils.set_random_seed(0)
    x, there = keras.Input([4], name="x"), keras.Input([], dtype="bool", name="there")
    shown = ModalityDropout(0.5, seed=3)({"a": there, "b": there})
    hidden = keras.layers.Dense(6, activation="relu")(x)
    hidden = keras.layers.BatchNormalization()(hidden)
    hidden = keras.layers.Dropout(0.5, seed=1)(hidden)
    hidden = hidden * keras.ops.cast(shown["a"], "float32")[:, None]
    inner = keras.Sequential([keras.layers.Dropout(0.2), keras.layers.Dense(2)])
    votes = keras.layers.Reshape((1, 2))(inner(hidden))
    return keras.Model({"x": x, "there": there}, votes)


def train(folder, model=None, *, epochs=EPOCHS, eval_ids=CLASS_IDS, **options):
    model = model or build_model()
    arrays = {"x": X, "there": np.ones(30, bool)}
    rows = np.arange(30)
    result = run_stage(
        model,
        functools.partial(array_batches, arrays, Sample.of(rows, CLASS_IDS), 8, seed=0),
        name="head",
        steps=4,
        steps_at_once=3,
        epochs=epochs,
        learning_rate=0.05,
        config=TrainConfig(**{**vars(CONFIG), **options}),
        folder=folder,
        eval_data=array_batches(arrays, Sample.of(rows, eval_ids), 8),
    )
    return model, result


def train_until(folder, epoch, monkeypatch, **options):
    """Trains until a process would be killed, after so many epochs."""

    def die(self, index, logs=None):
        if index == epoch:
            raise Killed

    with monkeypatch.context() as patched:
        patched.setattr(Resume, "on_epoch_begin", die)
        with pytest.raises(Killed):
            train(folder, **options)


def figures(result):
    return [
        {name: value for name, value in epoch.items() if name != "seconds"}
        for epoch in result.history
    ]


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """Trains uninterrupted; returns model, result, folder and what was there before each write."""
    folder, there = tmp_path_factory.mktemp("whole"), []
    original = Resume._write

    def write(self, epoch):
        there.append(sorted(path.name for path in self.folder.glob("epoch-*")))
        original(self, epoch)

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(Resume, "_write", write)
        return (*train(folder), folder, there)


def assert_same(found, whole):
    model, result = found
    assert result.best_epoch == whole[1].best_epoch == EPOCHS
    for epoch, expected in zip(figures(result), figures(whole[1]), strict=True):
        assert epoch == pytest.approx(expected, abs=1e-6)
    for weight, expected in zip(model.get_weights(), whole[0].get_weights(), strict=True):
        np.testing.assert_allclose(weight, expected, atol=1e-6)


def write_half_checkpoint(folder, epoch):
    """Leaves what a process leaves that is killed while it writes the next epoch."""
    half = folder / f".partial-99999-epoch-{epoch + 1:05d}"
    shutil.copytree(folder / f"epoch-{epoch:05d}", half)
    state = json.loads((half / "state.json").read_text())
    state["history"].append(state["history"][-1])
    (half / "state.json").write_text(json.dumps(state))
    (half / "variables.npz").write_bytes(b"half")


def test_killed_and_resumed_equals_uninterrupted(whole, tmp_path, monkeypatch):
    for epoch in (1, 3):
        train_until(tmp_path, epoch, monkeypatch)
        write_half_checkpoint(tmp_path, epoch)
    assert_same(train(tmp_path), whole)
    assert sorted(path.name for path in tmp_path.iterdir()) == [f"epoch-{EPOCHS:05d}"]


def test_finished_training_is_loaded_not_repeated(whole, monkeypatch):
    monkeypatch.setattr(keras.Model, "fit", lambda *_, **__: pytest.fail("trained again"))
    assert_same(train(whole[2]), whole)


def test_without_patience_the_last_epoch_is_the_result(whole):
    assert whole[1].best_epoch == EPOCHS
    assert sorted(path.name for path in whole[2].iterdir()) == [f"epoch-{EPOCHS:05d}"]


def test_patience_stops_and_goes_back_to_the_best_epoch(tmp_path):
    """Labels of the eval rows are turned round: every epoch makes them worse."""
    epochs_seen = []
    model = build_model()
    spy = keras.callbacks.LambdaCallback(
        on_epoch_end=lambda epoch, logs: epochs_seen.append((logs["val_loss"], model.get_weights()))
    )
    original = model.fit
    model.fit = lambda *args, callbacks, **options: original(
        *args, callbacks=[*callbacks, spy], **options
    )
    _, result = train(tmp_path, model, patience=2, epochs=20, eval_ids=1 - CLASS_IDS)
    losses = [loss for loss, _ in epochs_seen]
    best = int(np.argmin(losses))
    assert result.best_epoch == best + 1
    assert len(losses) == result.best_epoch + 2 < 20
    for weight, expected in zip(model.get_weights(), epochs_seen[best][1], strict=True):
        np.testing.assert_array_equal(weight, expected)

    again, result = train(tmp_path, patience=2, epochs=20, eval_ids=1 - CLASS_IDS)
    assert len(result.history) == len(losses)
    for weight, expected in zip(again.get_weights(), model.get_weights(), strict=True):
        np.testing.assert_array_equal(weight, expected)


def test_the_old_epoch_stays_until_the_new_one_is_there(whole):
    """Else a process killed between the two would start from nothing."""
    assert whole[3] == [[], *([f"epoch-{epoch:05d}"] for epoch in range(1, EPOCHS))]


@pytest.mark.parametrize("average", ["ema", "swa"])
def test_averages_go_on_where_they_were(tmp_path, monkeypatch, average):
    """Killed while the mean of the last epochs holds one of three."""
    whole = train(tmp_path / "whole", average=average)
    train_until(tmp_path / "killed", EPOCHS - 2, monkeypatch, average=average)
    assert_same(train(tmp_path / "killed", average=average), whole)
    # Finished training is loaded with its average, too.
    assert_same(train(tmp_path / "killed", average=average), whole)


@pytest.mark.parametrize("average", ["ema", "swa"])
def test_the_best_epoch_is_the_average_that_was_watched(tmp_path, average):
    model, result = train(tmp_path, patience=2, epochs=20, eval_ids=1 - CLASS_IDS, average=average)
    losses = [epoch["val_loss"] for epoch in result.history]
    assert result.best_epoch == np.argmin(losses) + 1 < len(losses)
    watched = array_batches(
        {"x": X, "there": np.ones(30, bool)}, Sample.of(np.arange(30), 1 - CLASS_IDS), 8
    )
    loss = model.evaluate(watched, verbose=0, return_dict=True)["loss"]
    assert loss == pytest.approx(min(losses), abs=1e-5)

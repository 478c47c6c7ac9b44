import keras
import numpy as np
import pytest
import tensorflow as tf

from trainer.callbacks.resume import Resume
from trainer.config import TrainConfig
from trainer.registry import TUNING
from trainer.stage import run_stage

KERNELS, RANK, FIRST_RANK, STEPS = 3, 2, 4, 20


def make(**options):
    """Returns a model of three dense layers and the method that was applied to it."""
    keras.utils.set_random_seed(0)
    model = keras.Sequential([keras.Input([5]), *(keras.layers.Dense(5) for _ in range(KERNELS))])
    method = TUNING.make(
        "adalora",
        {"rank": RANK, "first_rank": FIRST_RANK, "warmup": 0.2, "settled": 0.3, **options},
    )
    method.apply(model, ".*")
    method.start(lambda shape, initializer, name: keras.Variable(np.zeros(shape, np.float32)))
    return model, method


def factors(layer):
    return [layer.left, layer.singular_values, layer.right]


def importance(sensitivity, uncertainty):
    """Equation 7 of the paper, of one kernel."""
    left, values, right = (s * u for s, u in zip(sensitivity, uncertainty, strict=True))
    return values + left.mean(axis=0) + right.mean(axis=1)


def budget(step):
    """Equation 10 of the paper."""
    first, last = 0.2 * STEPS, 0.7 * STEPS
    share = np.clip((last - step) / (last - first), 0, 1)
    return round(KERNELS * (RANK + (FIRST_RANK - RANK) * share**3))


def test_gives_the_budget_to_what_matters_as_in_the_paper():
    _, method = make()
    layers, rng = method._changed, np.random.default_rng(0)
    sensitivity = [[np.zeros(of.shape) for of in factors(layer)] for layer in layers]
    uncertainty = [[np.zeros(of.shape) for of in factors(layer)] for layer in layers]
    for step in range(1, STEPS + 1):
        gradients = {}
        for index, layer in enumerate(layers):
            layer.singular_values.assign(rng.normal(size=FIRST_RANK))  # the optimizer's step
            for place, factor in enumerate(factors(layer)):
                gradient = rng.normal(size=factor.shape).astype(np.float32)
                gradients[id(factor)] = gradient
                new = np.abs(factor.numpy() * gradient)
                if step <= 0.7 * STEPS:
                    s, u = sensitivity[index][place], uncertainty[index][place]
                    s += 0.15 * (new - s)
                    u += 0.15 * (np.abs(new - s) - u)
        before = np.concatenate([layer.singular_values.numpy() for layer in layers])
        method.after_step(gradients, step, STEPS)
        after = np.concatenate([layer.singular_values.numpy() for layer in layers])
        scores = np.concatenate(
            [importance(*of) for of in zip(sensitivity, uncertainty, strict=True)]
        )
        kept = np.argsort(-scores)[: budget(step)]
        expected = np.zeros_like(before)
        expected[kept] = before[kept]
        np.testing.assert_allclose(after, expected, atol=1e-6)
    assert np.count_nonzero(after) == KERNELS * RANK


def test_the_penalty_is_the_distance_from_orthonormal():
    model, method = make(orthogonality=0.5)
    assert float(sum(model.losses)) == pytest.approx(0, abs=1e-6)
    rng = np.random.default_rng(0)
    expected = 0.0
    for layer in method._changed:
        for factor in (layer.left, layer.right):
            factor.assign(rng.normal(size=factor.shape))
        for columns in (layer.left.numpy(), layer.right.numpy().T):
            expected += 0.5 * ((columns.T @ columns - np.eye(FIRST_RANK)) ** 2).sum()
    assert float(sum(model.losses)) == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"rank": 9, "first_rank": 8}, "`first_rank` must be at least `rank`"),
        ({"warmup": 0.6, "settled": 0.4}, "leave steps between them"),
        ({"rank": 0}, "`rank` must be at least 1"),
    ],
)
def test_refuses_budgets_that_cannot_be(options, message):
    with pytest.raises(ValueError, match=message):
        TUNING.make("adalora", options)


class Killed(Exception):
    pass


def train(folder):
    """Trains for four epochs; returns the trained weights."""
    keras.utils.set_random_seed(0)
    rng = np.random.default_rng(0)
    x = keras.Input([5], name="x")
    encoder = keras.Sequential([keras.Input([5]), keras.layers.Dense(5)])
    method = TUNING.make("adalora", {"rank": 1, "first_rank": 3})
    method.apply(encoder, ".*")
    votes = keras.layers.Reshape((1, 2))(keras.layers.Dense(2)(encoder(x)))
    model = keras.Model({"x": x}, votes)
    rows = ({"x": rng.normal(size=(24, 5))}, rng.integers(0, 2, 24), np.ones(24))
    run_stage(
        model,
        lambda first_epoch: tf.data.Dataset.from_tensor_slices(rows).batch(8).repeat(),
        name="encoders",
        steps=3,
        epochs=4,
        learning_rate=0.01,
        tuned=[(method, encoder)],
        config=TrainConfig(),
        folder=folder,
    )
    return [weight.numpy() for weight in model.trainable_weights]


def test_resumes_with_what_it_remembers(tmp_path, monkeypatch):
    def die(self, epoch, logs=None):
        if epoch == 2:
            raise Killed

    with monkeypatch.context() as patched:
        patched.setattr(Resume, "on_epoch_begin", die)
        with pytest.raises(Killed):
            train(tmp_path / "killed")
    expected = train(tmp_path / "whole")
    assert any((weight == 0).any() for weight in expected), "nothing was pruned"
    for found, weight in zip(train(tmp_path / "killed"), expected, strict=True):
        np.testing.assert_allclose(found, weight, atol=1e-6)

"""What regularizers do to a linear network, against their closed forms in NumPy."""

from __future__ import annotations

import keras
import numpy as np
import pytest
import tensorflow as tf

from trainer.layers.perturbation import embedding_point
from trainer.losses.crossentropy import Crossentropy
from trainer.registry import REGULARIZERS
from trainer.regularization.batch import Batch
from trainer.regularization.regularizer import Regularizer
from trainer.regularized_model import RegularizedModel

ROWS, WIDTH, CLASSES = 5, 7, 3


@pytest.fixture
def linear():
    """A linear network, rows, class ids."""
    rng = np.random.default_rng(0)
    inputs = keras.Input([WIDTH], name="text")
    logits = keras.layers.Dense(CLASSES, name="head")(inputs)
    model = keras.Model({"text": inputs}, keras.ops.expand_dims(logits, 1))
    model.get_layer("head").set_weights(
        [rng.normal(size=(WIDTH, CLASSES)), rng.normal(size=CLASSES)]
    )
    return model, rng.normal(size=(ROWS, WIDTH)).astype(np.float32), np.array([0, 1, 2, 1, 0])


def batch_of(model, x, y, regularizer: Regularizer) -> Batch:
    points = regularizer.choose_points([embedding_point("text", "text")])
    loss = Crossentropy()
    return Batch(
        model,
        points,
        {"text": tf.constant(x)},
        loss=lambda outputs: loss(y, outputs),
        vote_loss=lambda outputs: loss(y, outputs),
        votes=lambda outputs: outputs,
        kinds=regularizer.draw_kinds(points),
    )


def answers(model, x):
    kernel, bias = model.get_layer("head").get_weights()
    logits = x @ kernel + bias
    scores = np.exp(logits - logits.max(axis=1, keepdims=True))
    return scores / scores.sum(axis=1, keepdims=True), kernel


def loss_and_gradients(model, x, y):
    """Cross-entropy of a softmax regression, and its gradients in kernel and inputs."""
    scores, kernel = answers(model, x)
    errors = scores - np.eye(CLASSES)[y]
    loss = -np.log(scores[np.arange(ROWS), y]).mean()
    return loss, x.T @ errors / ROWS, errors @ kernel.T / ROWS


def reached_by(batch: Batch) -> list[np.ndarray]:
    """Returns a list to which each run adds what its rows were, perturbation and all."""
    values, forward = [], batch.forward

    def spy(*args, **kwargs):
        outputs, reached = forward(*args, **kwargs)
        values.append(reached[0].numpy())
        return outputs, reached

    batch.forward = spy
    return values


def unit(vectors, norm):
    if norm == "infinity":
        return np.sign(vectors)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


@pytest.mark.parametrize("norm", ["infinity", "l2"])
def test_fgsm_is_one_step_along_the_gradient(norm, linear):
    model, x, y = linear
    regularizer = REGULARIZERS.make(
        "fgsm", {"multiplier": 0.3, "adv_step_size": 0.4, "adv_grad_norm": norm}
    )
    lesson = regularizer.learn(batch_of(model, x, y, regularizer))
    loss, kernel_gradient, input_gradient = loss_and_gradients(model, x, y)
    attacked = x + 0.4 * unit(input_gradient, norm)
    worse, other_gradient, _ = loss_and_gradients(model, attacked, y)
    assert worse > loss
    np.testing.assert_allclose(lesson.loss, loss, rtol=1e-5)
    np.testing.assert_allclose(lesson.adversarial_loss, worse, rtol=1e-5)
    np.testing.assert_allclose(
        lesson.gradients[0], kernel_gradient + 0.3 * other_gradient, rtol=1e-4, atol=1e-6
    )


@pytest.mark.parametrize("norm", ["infinity", "l2"])
def test_pgd_follows_projected_steps(norm, linear):
    model, x, y = linear
    options = {"adv_step_size": 0.4, "adv_grad_norm": norm}
    regularizer = REGULARIZERS.make("pgd", {**options, "pgd_iterations": 4, "pgd_epsilon": 1.5})
    lesson = regularizer.learn(batch_of(model, x, y, regularizer))
    delta = np.zeros_like(x)
    for _ in range(4):
        delta = delta + 0.4 * unit(loss_and_gradients(model, x + delta, y)[2], norm)
        if norm == "infinity":
            delta = np.clip(delta, -0.6, 0.6)
        else:
            lengths = np.linalg.norm(delta, axis=1, keepdims=True)
            delta = delta * np.minimum(1, 0.6 / lengths)
    expected = loss_and_gradients(model, x + delta, y)[0]
    np.testing.assert_allclose(lesson.adversarial_loss, expected, rtol=1e-5)


def test_pgd_on_two_classes_reaches_the_corner_of_the_ball(linear):
    """The worst perturbation of a linear margin is known: epsilon times the sign of its normal."""
    model, x, _ = linear
    kernel, bias = model.get_layer("head").get_weights()
    kernel[:, 2], bias[2] = 0, -1e4
    model.get_layer("head").set_weights([kernel, bias])
    y = np.array([0, 1, 0, 1, 0])
    options = {"adv_step_size": 0.1, "adv_grad_norm": "infinity", "pgd_epsilon": 5.0}
    regularizer = REGULARIZERS.make("pgd", {**options, "pgd_iterations": 8})
    lesson = regularizer.learn(batch_of(model, x, y, regularizer))
    normal = (kernel[:, 1] - kernel[:, 0]) * np.where(y == 0, 1, -1)[:, None]
    expected = loss_and_gradients(model, x + 0.5 * np.sign(normal), y)[0]
    np.testing.assert_allclose(lesson.adversarial_loss, expected, rtol=1e-5)


def test_vat_finds_the_direction_in_which_answers_move_most(linear):
    """Of a softmax regression: the main eigenvector of W (diag(p) - p p') W', row by row."""
    model, x, y = linear
    options = {"adv_step_size": 0.01, "pgd_iterations": 30, "xi": 0.1}
    regularizer = REGULARIZERS.make("vat", options)
    batch = batch_of(model, x, y, regularizer)
    lesson = regularizer.learn(batch)
    scores, kernel = answers(model, x)
    moved = []
    for row, p in zip(x, scores, strict=True):
        curvature = kernel @ (np.diag(p) - np.outer(p, p)) @ kernel.T
        values, vectors = np.linalg.eigh(curvature)
        q = [answers(model, (row + sign * 0.01 * vectors[:, -1])[None])[0][0] for sign in (-1, 1)]
        own = [np.sum(p * np.log(p / other)) for other in q]
        np.testing.assert_allclose(own, 0.5 * 0.01**2 * values[-1], rtol=0.1)
        moved.append(np.mean(own))
    np.testing.assert_allclose(lesson.adversarial_loss, np.mean(moved), rtol=0.05)
    np.testing.assert_allclose(lesson.loss, loss_and_gradients(model, x, y)[0], rtol=1e-5)


def test_trades_gradients_are_those_of_both_sides(linear):
    model, x, y = linear
    options = {"adv_step_size": 0.3, "pgd_iterations": 2, "multiplier": 2.0}
    regularizer = REGULARIZERS.make("trades", options)
    batch = batch_of(model, x, y, regularizer)
    values = reached_by(batch)
    lesson = regularizer.learn(batch)
    delta = values[-1] - x
    assert np.linalg.norm(delta, axis=1).max() <= 0.6 + 1e-6
    assert np.linalg.norm(delta, axis=1).min() > 0.1
    kernel, bias = (tf.constant(w) for w in model.get_layer("head").get_weights())
    with tf.GradientTape() as tape:
        tape.watch(kernel)
        p, q = (tf.nn.softmax(rows @ kernel + bias) for rows in (x, x + delta))
        moved = keras.losses.KLDivergence()(p, q)
        loss = keras.losses.SparseCategoricalCrossentropy()(y, p)
        total = loss + 2 * moved
    np.testing.assert_allclose(lesson.adversarial_loss, moved, rtol=1e-4)
    np.testing.assert_allclose(
        lesson.gradients[0], tape.gradient(total, kernel), rtol=1e-3, atol=1e-6
    )


def test_freelb_is_the_mean_over_its_runs(linear):
    model, x, y = linear
    options = {"adv_step_size": 0.3, "pgd_iterations": 3, "pgd_epsilon": 2.0}
    regularizer = REGULARIZERS.make("freelb", options)
    batch = batch_of(model, x, y, regularizer)
    values = reached_by(batch)
    lesson = regularizer.learn(batch)
    assert len(values) == 3
    expected = [loss_and_gradients(model, of, y) for of in values]
    np.testing.assert_allclose(lesson.loss, np.mean([of[0] for of in expected]), rtol=1e-5)
    np.testing.assert_allclose(
        lesson.gradients[0], np.mean([of[1] for of in expected], axis=0), rtol=1e-4, atol=1e-6
    )
    for (_, _, gradient), before, after in zip(expected, values, values[1:], strict=False):
        delta = before - x + 0.3 * unit(gradient, "l2")
        lengths = np.linalg.norm(delta, axis=1, keepdims=True)
        delta *= np.minimum(1, 0.6 / lengths)
        np.testing.assert_allclose(after, x + delta, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("name", REGULARIZERS.names())
def test_one_modality_at_a_time(name, linear):
    """Where not together, a batch is perturbed in one modality only, and each has its turn."""
    regularizer = REGULARIZERS.make(name, {"together": False})
    points = [embedding_point("text", "text"), embedding_point("image", "image")]
    drawn = [
        {kind: float(share) for kind, share in regularizer.draw_kinds(points).items()}
        for _ in range(20)
    ]
    assert {tuple(sorted(of.items())) for of in drawn} == {
        (("image", 0.0), ("text", 1.0)),
        (("image", 1.0), ("text", 0.0)),
    }


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"multiplier": 0}, "`multiplier` must be a number above 0"),
        ({"adv_grad_norm": "l1"}, r"one of \['infinity', 'l2'\]"),
        ({"adv_step_size": {"text_embedding": -1}}, "`adv_step_size` must be a number of at least"),
    ],
)
def test_options_that_make_no_sense_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        REGULARIZERS.make("fgsm", options)


def test_what_a_table_does_not_have_is_refused():
    with pytest.raises(ValueError, match=r"options\.modalities.*one of \['text'\].*'image'"):
        REGULARIZERS.make("fgsm", {"modalities": ["image"]}).check({"text"})
    sizes = {"tokens": 0.1, "image_embedding": 0.1}
    # One configuration serves tables with and without pictures.
    REGULARIZERS.make("fgsm", {"adv_step_size": sizes}).check({"text"})
    with pytest.raises(ValueError, match=r"options\.adv_step_size.*Did you mean 'text_embedding'"):
        REGULARIZERS.make("fgsm", {"adv_step_size": {"text_embeding": 0.1}}).check({"text"})


@pytest.mark.parametrize("name", ["fgsm", "pgd"])
def test_only_the_fused_vote_is_asked_to_hold(name):
    """The step is against the first vote alone; the others learn from the rows as they are."""
    rng = np.random.default_rng(0)
    inputs = keras.Input([WIDTH], name="text")
    fused, own = (keras.layers.Dense(CLASSES, name=part)(inputs) for part in ("fused", "own"))
    votes = keras.ops.stack([fused, own], axis=1)
    model = RegularizedModel({"text": inputs}, votes)
    for layer in ("fused", "own"):
        model.get_layer(layer).set_weights(
            [rng.normal(size=(WIDTH, CLASSES)), rng.normal(size=CLASSES)]
        )
    x = rng.normal(size=(ROWS, WIDTH)).astype(np.float32)
    y = np.array([0, 1, 2, 1, 0])
    options = {"multiplier": 0.3, "adv_step_size": 0.4, "fused_only": True}
    if name == "pgd":
        options |= {"pgd_iterations": 1, "pgd_epsilon": 1.0}
    model.regularize(
        REGULARIZERS.make(name, options), [embedding_point("text", "text")], Crossentropy()
    )
    model.compile(keras.optimizers.SGD(1.0), loss=Crossentropy())

    def gradient(layer, rows):
        kernel, bias = before[layer]
        logits = rows @ kernel + bias
        scores = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
        errors = scores - np.eye(CLASSES)[y]
        return rows.T @ errors / ROWS, errors @ kernel.T

    before = {layer: model.get_layer(layer).get_weights() for layer in ("fused", "own")}
    model.train_on_batch({"text": x}, y)
    attacked = x + 0.4 * unit(gradient("fused", x)[1], "l2")
    moved = {layer: before[layer][0] - model.get_layer(layer).get_weights()[0] for layer in before}
    # The loss of two votes is their mean.
    expected = gradient("fused", x)[0] / 2 + 0.3 * gradient("fused", attacked)[0]
    np.testing.assert_allclose(moved["fused"], expected, rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(moved["own"], gradient("own", x)[0] / 2, rtol=1e-4, atol=1e-6)

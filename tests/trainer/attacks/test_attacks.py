"""Attacks on small networks: what all keep to, closed forms, and another library."""

import dataclasses

import numpy as np
import pytest
import tensorflow as tf

from trainer.attacks import costs
from trainer.attacks.victim import Pictures, Victim
from trainer.registry import ATTACKS

SIDE = 8
QUICK = {"steps": 20, "restarts": 2}


def make(name, **options):
    member = ATTACKS.get(name)
    known = {of.name for of in dataclasses.fields(member)}
    return member(**{key: of for key, of in {**QUICK, **options}.items() if key in known})


@pytest.mark.parametrize("name", ATTACKS.names())
def test_stays_inside_of_the_bounds_and_fools_some(name, victim, network):
    pictures = network[1].take(np.arange(40))
    before = pictures.pixels.copy()
    attack = make(name, eps=12 / 255)
    found = attack(victim, pictures)
    np.testing.assert_array_equal(pictures.pixels, before)
    assert found.dtype == np.float32
    assert np.abs(found - before).max() <= 12 + 1e-4
    assert found.min() >= 0
    assert found.max() <= 255
    own, fooled = victim.fooled(pictures), victim.fooled(pictures.changed(found))
    assert fooled.sum() > own.sum() + 2
    # What was wrong by itself and what still stands are as they were.
    changed = np.any(found != before, axis=(1, 2, 3))
    np.testing.assert_array_equal(changed, fooled & ~own)
    np.testing.assert_array_equal(attack(victim, pictures), found)


@pytest.mark.parametrize("name", ATTACKS.names())
def test_changes_nothing_without_room(name, victim, network):
    pictures = network[1].take(np.arange(10))
    np.testing.assert_array_equal(make(name, eps=0)(victim, pictures), pictures.pixels)


def linear(num_classes=2, seed=0):
    """A linear network, and pictures that it answers rightly by margins from 0 up."""
    rng = np.random.default_rng(seed)
    weights = rng.normal(size=(SIDE * SIDE * 3, num_classes)).astype(np.float32) / 1000
    pixels = rng.uniform(100, 150, (60, SIDE, SIDE, 3)).astype(np.float32)
    logits = pixels.reshape(60, -1) @ weights
    victim = Victim(lambda pixels, beside: tf.reshape(pixels, (-1, SIDE * SIDE * 3)) @ weights)
    return victim, Pictures(pixels, logits.argmax(axis=1)), weights, logits


@pytest.mark.parametrize("name", ["fgsm", "pgd", "pgd_margin", "apgd_ce", "apgd_targeted"])
def test_finds_all_that_can_be_fooled_in_a_linear_network(name):
    """Of two classes: those whose margin is at most `eps` times the sum of the |weights|."""
    victim, pictures, weights, logits = linear()
    margins = np.abs(logits[:, 0] - logits[:, 1])
    reach = np.abs(weights[:, 0] - weights[:, 1]).sum()
    eps = float(np.median(margins) / reach)
    found = make(name, eps=eps / 255, steps=50)(victim, pictures)
    expected = margins < eps * reach
    assert 20 < expected.sum() < 40
    np.testing.assert_array_equal(victim.fooled(pictures.changed(found)), expected)


def test_more_classes_are_aimed_at_one_after_the_other():
    victim, pictures, weights, logits = linear(num_classes=6)
    own = logits[np.arange(60), pictures.class_ids][:, None]
    reach = np.abs(weights[:, :, None] - weights[:, None]).sum(axis=0)[pictures.class_ids]
    needed = (own - logits) / np.where(reach, reach, np.inf)
    needed[np.arange(60), pictures.class_ids] = np.inf
    eps = float(np.median(needed.min(axis=1)))
    found = make("apgd_targeted", eps=eps / 255, steps=50, restarts=9)(victim, pictures)
    np.testing.assert_array_equal(victim.fooled(pictures.changed(found)), needed.min(axis=1) < eps)


def test_a_hidden_gradient_does_not_stop_a_square():
    """The pixels are rounded to 16 levels, which have no slope."""
    victim, pictures, _, _ = linear()

    def blind(pixels, beside):
        return victim._score(tf.round(pixels / 16) * 16, beside)

    masked = Victim(blind)
    pictures = dataclasses.replace(pictures, class_ids=masked.logits(pictures).argmax(axis=1))
    eps = 30 / 255
    by_gradient = masked.fooled(pictures.changed(make("fgsm", eps=eps)(masked, pictures)))
    by_square = masked.fooled(
        pictures.changed(make("square", eps=eps, steps=200)(masked, pictures))
    )
    assert by_gradient.sum() == 0
    assert by_square.sum() >= 10


def test_costs_are_those_of_numpy():
    rng = np.random.default_rng(0)
    logits = rng.normal(size=(7, 5)).astype(np.float32)
    class_ids, aims = rng.integers(5, size=(2, 7)).astype(np.int32)
    rows = np.arange(7)
    others = logits.copy()
    others[rows, class_ids] = -np.inf
    np.testing.assert_allclose(
        costs.margin(tf.constant(logits), class_ids, aims),
        others.max(axis=1) - logits[rows, class_ids],
        rtol=1e-6,
    )
    ranked = -np.sort(-logits, axis=1)
    np.testing.assert_allclose(
        costs.aimed_ratio(tf.constant(logits), class_ids, aims),
        (logits[rows, aims] - logits[rows, class_ids])
        / (ranked[:, 0] - (ranked[:, 2] + ranked[:, 3]) / 2),
        rtol=1e-5,
    )


@pytest.mark.parametrize("option", [{"eps": -1}, {"eps": 2}, {"steps": 0}, {"restarts": 1.5}])
def test_options_that_mean_nothing_are_refused(option):
    with pytest.raises(ValueError, match=next(iter(option))):
        ATTACKS.get("pgd")(**option)

"""The same attacks in the Adversarial Robustness Toolbox leave as many pictures standing."""

import keras
import numpy as np
import pytest
from art.attacks import evasion
from art.estimators.classification import TensorFlowV2Classifier

from trainer.registry import ATTACKS

STRENGTHS = [2, 5]


def theirs(name, classifier, eps):
    if name == "fgsm":
        return evasion.FastGradientMethod(classifier, eps=eps, batch_size=300)
    if name == "pgd":
        options = {"eps_step": eps / 4, "max_iter": 20, "num_random_init": 2}
        return evasion.ProjectedGradientDescentTensorFlowV2(
            classifier, eps=eps, batch_size=300, verbose=False, **options
        )
    if name == "square":
        return evasion.SquareAttack(
            classifier, eps=eps, max_iter=300, nb_restarts=1, p_init=0.8, verbose=False
        )
    return evasion.AutoProjectedGradientDescent(
        classifier,
        eps=eps,
        eps_step=2 * eps,
        max_iter=30,
        nb_random_init=3,
        batch_size=300,
        loss_type="cross_entropy",
        verbose=False,
    )


@pytest.fixture(scope="module")
def classifier(network):
    return TensorFlowV2Classifier(
        network[0],
        nb_classes=5,
        input_shape=(8, 8, 3),
        loss_object=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        clip_values=(0, 255),
    )


@pytest.mark.parametrize("eps", STRENGTHS)
@pytest.mark.parametrize("name", ["fgsm", "pgd", "apgd_ce", "square"])
def test_as_strong_as_the_toolbox(name, eps, network, victim, classifier):
    pictures = network[1]
    options = {
        "pgd": {"steps": 20, "restarts": 2},
        "apgd_ce": {"steps": 30, "restarts": 3},
        "square": {"steps": 300},
    }
    own = ATTACKS.get(name)(eps=eps / 255, **options.get(name, {}))(victim, pictures)
    np.random.seed(0)  # the toolbox draws from there
    their = theirs(name, classifier, eps).generate(pictures.pixels, y=pictures.class_ids)
    assert np.abs(their - pictures.pixels).max() <= eps + 1e-3
    left = [1 - victim.fooled(pictures.changed(of)).mean() for of in (own, their)]
    assert 0.02 < left[1] < 0.97
    if name == "square":
        # Theirs paints the same square on all pictures, and never on the last row and column.
        strongest = ATTACKS.get("apgd_targeted")(eps=eps / 255)(victim, pictures)
        assert left[0] >= 1 - victim.fooled(pictures.changed(strongest)).mean()
        assert left[0] <= left[1] + 0.01
    else:
        assert left[0] == pytest.approx(left[1], abs=0.01)


def test_the_aimed_attack_is_the_strongest(network, victim):
    pictures = network[1]

    def left(name, **options):
        found = ATTACKS.get(name)(eps=3 / 255, **options)(victim, pictures)
        return 1 - victim.fooled(pictures.changed(found)).mean()

    aimed = left("apgd_targeted", steps=30)
    for other in ("fgsm", "pgd", "pgd_margin", "apgd_ce"):
        assert aimed <= left(other) + 0.004

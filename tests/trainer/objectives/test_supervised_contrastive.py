import keras
import numpy as np
import pytest

from trainer.objectives.supervised_contrastive import SupConLoss

RNG = np.random.default_rng(0)
CLASS_IDS = np.array([0, 1, 0, 2, 1, 0, 1])
TEMPERATURE = 0.3


def make_embeddings(absent=()):
    rows = RNG.normal(size=(7, 4))
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    rows[list(absent)] = 0
    return rows.astype(np.float32)


def reference(rows, class_ids):
    """`L_out` of the paper, written out, over the rows with a friend."""
    losses = []
    for i in range(len(rows)):
        others = [a for a in range(len(rows)) if a != i]
        total = sum(np.exp(rows[i] @ rows[a] / TEMPERATURE) for a in others)
        friends = [a for a in others if class_ids[a] == class_ids[i]]
        if friends:
            odds = [np.exp(rows[i] @ rows[p] / TEMPERATURE) / total for p in friends]
            losses.append(-np.mean(np.log(odds)))
    return np.mean(losses)


def test_loss_is_that_of_the_paper():
    rows = make_embeddings()
    found = float(SupConLoss(TEMPERATURE)(CLASS_IDS, rows))
    assert found == pytest.approx(reference(rows, CLASS_IDS), rel=1e-5)


def test_rows_without_an_embedding_are_left_out():
    rows = make_embeddings(absent=(0, 4))
    kept = [1, 2, 3, 5, 6]
    found = float(SupConLoss(TEMPERATURE)(CLASS_IDS, rows))
    assert found == pytest.approx(reference(rows[kept], CLASS_IDS[kept]), rel=1e-5)


def test_rows_that_are_alone_in_their_class_have_no_loss():
    assert float(SupConLoss()(np.arange(7), make_embeddings())) == 0


def test_config_round_trip():
    loss = keras.losses.deserialize(keras.losses.serialize(SupConLoss(0.7)))
    assert loss.temperature == 0.7

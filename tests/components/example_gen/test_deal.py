"""Splits of many rows."""

from collections import Counter

import numpy as np
import pytest

from components.example_gen.deal import deal_groups

FRACTIONS = (0.8, 0.1, 0.1)


def test_classes_keep_their_shares_and_groups_stay_together():
    rng = np.random.default_rng(0)
    labels = rng.choice(5, 20_000, p=[0.5, 0.3, 0.15, 0.04, 0.01])
    groups = np.arange(20_000) // 2
    labels[1::2] = labels[::2]
    splits = deal_groups(labels, groups, FRACTIONS, seed=0)
    assert (splits[::2] == splits[1::2]).all()
    for label in range(5):
        counts = Counter(splits[labels == label].tolist())
        total = sum(counts.values())
        for split, share in zip(("train", "eval", "test"), FRACTIONS, strict=True):
            assert abs(counts[split] - share * total) <= 4


def test_many_small_classes_keep_the_shares_together():
    labels = np.repeat(np.arange(2000), 3)
    splits = deal_groups(labels, np.arange(6000), FRACTIONS, seed=1)
    counts = Counter(splits.tolist())
    # A class of three gives one row to eval or test three times out of five.
    assert abs(counts["eval"] - 600) < 60
    assert abs(counts["test"] - 600) < 60
    assert all("train" in splits[labels == label] for label in range(2000))


def test_a_class_of_one_row_is_learned():
    splits = deal_groups(np.array([0, 1, -1, 2]), np.arange(4), FRACTIONS, seed=0)
    assert splits.tolist() == ["train", "train", "", "train"]


def test_no_labels_no_splits():
    assert deal_groups(np.array([-1, -1]), np.arange(2), FRACTIONS, seed=0).tolist() == ["", ""]


def test_the_same_seed_the_same_splits():
    labels = np.repeat([0, 1], 50)
    first, second, other = (
        deal_groups(labels, np.arange(100), FRACTIONS, seed=seed).tolist() for seed in (3, 3, 4)
    )
    assert first == second != other


@pytest.mark.parametrize("fractions", [(1.0, 0.0, 0.0), (0.5, 0.5, 0.0)])
def test_a_split_may_have_no_share(fractions):
    splits = deal_groups(np.zeros(1000, int), np.arange(1000), fractions, seed=0)
    assert set(splits.tolist()) == {"train", "eval"} if fractions[1] else {"train"}
    assert (splits == "train").sum() == 1000 * fractions[0]


def test_a_class_in_a_group_of_another_is_learned():
    # Class 1 has rows only in the second half of groups that begin with class 0.
    labels, groups = np.tile([0, 1], 500), np.arange(1000) // 2
    splits = deal_groups(labels, groups, (0.5, 0.25, 0.25), seed=0)
    assert set(splits[labels == 1].tolist()) == {"train", "eval", "test"}

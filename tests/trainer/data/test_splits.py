from collections import Counter

import numpy as np
import pytest

from trainer.data.splits import fold_rows, split_rows, user_splits


def _catalogue(seed, num_rows=600, num_classes=25):
    """Long-tailed classes, and groups of up to 6 rows that may span classes."""
    rng = np.random.default_rng(seed)
    weights = 1 / np.arange(1, num_classes + 1) ** 1.3
    labels = [(f"c{i}",) for i in rng.choice(num_classes, num_rows, p=weights / weights.sum())]
    groups = np.arange(num_rows)
    for first in range(0, num_rows, 10):
        same = [row for row in range(first, num_rows) if labels[row] == labels[first]]
        groups[same[: rng.integers(1, 7)]] = first
    groups[[3, 17]] = groups[3]
    return labels, groups


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("fractions", [(0.8, 0.1, 0.1), (0.6, 0.2, 0.2), (0.9, 0.0, 0.1)])
def test_every_promise_at_once(seed, fractions):
    labels, groups = _catalogue(seed)
    splits = split_rows(labels, groups, fractions=fractions, seed=seed)
    assert set(splits) <= {"train", "eval", "test"}
    for group in set(groups):
        assert len(set(splits[groups == group])) == 1
    assert {label for label, split in zip(labels, splits, strict=True) if split == "train"} == set(
        labels
    )
    for name, share in zip(("train", "eval", "test"), fractions, strict=True):
        assert abs(np.mean(splits == name) - share) < 0.04
    sizes = Counter(labels)
    for label, size in sizes.items():
        if size >= 60:
            rows = [split for own, split in zip(labels, splits, strict=True) if own == label]
            assert abs(rows.count("train") / size - fractions[0]) < 0.06


def test_deterministic_and_seeded():
    labels, groups = _catalogue(0)
    first = split_rows(labels, groups, seed=1)
    np.testing.assert_array_equal(first, split_rows(labels, groups, seed=1))
    assert (first != split_rows(labels, groups, seed=2)).any()


def test_exact_shares_without_groups():
    labels = [("a",)] * 100 + [("b",)] * 50
    splits = split_rows(labels, range(150))
    assert Counter(splits[:100]) == {"train": 80, "eval": 10, "test": 10}
    assert Counter(splits[100:]) == {"train": 40, "eval": 5, "test": 5}


def test_tail_classes_train_first():
    labels = ["one"] + ["two"] * 2 + ["three"] * 3 + ["big"] * 94
    splits = split_rows(labels, range(100))
    assert set(splits[:6]) == {"train"}
    # A class of one group is all in train, whatever its size.
    grouped = split_rows(["a"] * 30 + ["b"] * 70, [0] * 30 + list(range(1, 71)))
    assert set(grouped[:30]) == {"train"}


def test_rows_without_label_are_in_no_split():
    splits = split_rows([None, ("a",), None], [0, 0, 1])
    assert splits.tolist() == ["", "train", ""]
    assert split_rows([], []).tolist() == []


@pytest.mark.parametrize(
    "fractions", [(0.8, 0.1), (0.8, 0.3, 0.1), (0, 0.5, 0.5), (1.2, -0.1, -0.1)]
)
def test_fractions_must_make_sense(fractions):
    with pytest.raises(ValueError, match="sum to 1"):
        split_rows(["a"], [0], fractions=fractions)


def test_lengths_must_agree():
    with pytest.raises(ValueError, match="2 labels, 1 groups"):
        split_rows(["a", "b"], [0])


def test_user_splits():
    cells = ["train", " Train", "validation", "val", "valid", "dev", "eval", "TEST"]
    expected = ["train", "train", *["eval"] * 5, "test"]
    assert user_splits(cells).tolist() == expected


def test_user_splits_name_the_rows():
    with pytest.raises(ValueError, match=r"row 1: 'tset', row 2: ''\.$"):
        user_splits(["train", "tset", None])
    with pytest.raises(ValueError, match="and 3 more"):
        user_splits(["x"] * 8)
    with pytest.raises(ValueError, match="No row is for training"):
        user_splits(["test", "eval"])


def test_folds_keep_groups_together_and_classes_spread():
    labels = ["a"] * 20 + ["b"] * 10
    groups = np.arange(30) // 2
    folds = fold_rows(labels, groups, 5, seed=1)
    assert set(folds.tolist()) == {f"fold{index}" for index in range(5)}
    assert (folds[::2] == folds[1::2]).all()
    for fold in set(folds.tolist()):
        assert [label for label, own in zip(labels, folds, strict=True) if own == fold].count(
            "b"
        ) == 2


@pytest.mark.parametrize(
    ("labels", "groups"), [(["a", "b", "c"] * 4, range(12)), (["a"] * 12, [0] * 6 + [1] * 6)]
)
def test_more_folds_than_rows_of_a_class_are_refused(labels, groups):
    with pytest.raises(ValueError, match=r"At most \d folds.*Received: 5 folds"):
        fold_rows(labels, list(groups), 5)

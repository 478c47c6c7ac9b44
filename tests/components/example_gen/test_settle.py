"""What was held out stays held out."""

import numpy as np

from components.example_gen.settle import join_by_id, keep_known, rehearsable


def test_rows_follow_the_known_rows_of_their_group():
    groups = np.array([0, 0, 1, 1, 2, 2, 3])
    splits = np.array(["train", "test", "eval", "train", "train", "eval", "test"])
    known = np.array([True, False, True, False, False, False, True])
    found = keep_known(groups, splits, known).tolist()
    # The third group has no known row: it stays as it was drawn.
    assert found == ["train", "train", "eval", "eval", "train", "eval", "test"]


def test_what_is_held_out_wins():
    groups = np.zeros(4, int)
    splits = np.array(["train", "eval", "test", "train"])
    known = np.array([True, True, True, False])
    assert keep_known(groups, splits, known).tolist() == ["train", "eval", "test", "test"]


def test_what_has_a_held_out_twin_or_a_newer_row_is_not_learned_again():
    groups = np.array([0, 1, 2, 3, 1, 4])
    splits = np.array(["train", "train", "train", "eval", "test", "train"])
    ids = np.array(["a", "b", "c", "d", "e", "c"], object)
    found = rehearsable(groups, splits, ids).tolist()
    assert found == [True, False, False, False, False, True]


def test_rows_of_one_id_are_one_group():
    groups = join_by_id(np.array([0, 1, 2, 2]), np.array(["a", "b", "c", "a"], object))
    assert groups[0] == groups[2] == groups[3] != groups[1]

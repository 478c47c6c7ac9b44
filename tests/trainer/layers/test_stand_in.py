import numpy as np

from trainer.layers.stand_in import StandIn


def test_stands_in_where_all_that_it_does_without_is_absent():
    """Three stand-ins, for `a` with `b`, for `c`, for `d`; each row against its definition."""
    layer = StandIn([["a", "b"], ["c"], ["d"]])
    there = np.array(
        [
            [1, 1, 1, 1],  # all there: fused
            [0, 1, 1, 1],  # a part of the first kind: fused
            [0, 0, 1, 1],
            [1, 0, 0, 1],
            [0, 0, 0, 1],  # the first two: their mean
            [0, 0, 0, 0],  # nothing: fused
        ],
        bool,
    )
    votes = np.random.default_rng(0).normal(size=(6, 1 + 3 + 2, 4)).astype(np.float32)
    found = layer(votes, dict(zip("abcd", there.T, strict=True))).numpy()
    first = [votes[0, 0], votes[1, 0], votes[2, 1], votes[3, 2], votes[4, 1:3].mean(axis=0)]
    np.testing.assert_allclose(found[:, 0], [*first, votes[5, 0]], atol=1e-6)
    np.testing.assert_array_equal(found[:, 1:], votes[:, 4:])
    assert StandIn.from_config(layer.get_config()).without == layer.without

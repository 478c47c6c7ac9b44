import pytest

from trainer.fusion.cross_attention import CrossAttentionFusion


def test_refuses_heads_that_do_not_divide_the_width():
    with pytest.raises(ValueError, match=r"must divide.*projection_dim=10, num_heads=4"):
        CrossAttentionFusion(projection_dim=10, num_heads=4)

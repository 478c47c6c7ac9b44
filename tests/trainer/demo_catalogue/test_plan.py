from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from trainer.demo_catalogue.plan import plan_products


def test_the_seed_decides_the_plan():
    assert plan_products(200, 3) == plan_products(200, 3)
    assert plan_products(200, 3) != plan_products(200, 4)


def test_shares_of_copies_errors_and_gaps():
    plans = plan_products(1000, 0)
    assert sum(plan.copy > 0 for plan in plans) == 60
    assert sum(plan.labelled_as is not plan.product_class for plan in plans) == 20
    assert sum("image" in plan.missing for plan in plans) == 50
    assert sum("price" in plan.missing for plan in plans) == 50
    assert sum(bool({"title", "description"} & set(plan.missing)) for plan in plans) == 50
    assert 0.25 < sum(plan.language == "zh" for plan in plans) / 1000 < 0.35


def test_wrong_labels_are_those_of_classes_like_it():
    plans = plan_products(1000, 0, wrong_label_share=0.1)
    wrong = [plan for plan in plans if plan.labelled_as is not plan.product_class]
    assert len(wrong) == 100
    for plan in wrong:
        claimed, true = plan.labelled_as, plan.product_class
        assert claimed.category == true.category or claimed.family == true.family


@pytest.mark.parametrize("share", [-0.1, 1, float("nan")])
def test_a_share_of_wrong_labels_that_is_none(share):
    with pytest.raises(ValueError, match="share of wrong labels"):
        plan_products(100, 0, wrong_label_share=share)


def test_no_product_loses_picture_and_words():
    for plan in plan_products(1000, 1):
        assert not ("image" in plan.missing and {"title", "description"} & set(plan.missing))


def test_copies_share_what_their_original_is():
    plans = plan_products(1000, 2)
    for plan in plans:
        original = plans[plan.origin]
        assert original.origin == original.number
        assert (plan.copy == 0) == (plan.origin == plan.number)
        assert plan.product_class is original.product_class
        assert (plan.language, plan.colour) == (original.language, original.colour)


def test_copies_of_one_original_are_numbered():
    plans = plan_products(3000, 2)
    places = Counter((plan.origin, plan.copy) for plan in plans)
    assert set(places.values()) == {1}
    assert max(plan.copy for plan in plans) > 1


def test_prices_of_a_family_follow_one_law():
    plans = [plan for plan in plan_products(4000, 0) if plan.product_class.family == "worn"]
    logs = np.log([plan.price for plan in plans])
    assert abs(np.exp(np.median(logs)) - 190) < 15
    assert abs(logs.std() - 0.5) < 0.05
    topics = np.array([plan.product_class.topic for plan in plans])
    means = [logs[topics == topic].mean() for topic in ("training", "patient")]
    assert abs(means[0] - means[1]) < 0.1

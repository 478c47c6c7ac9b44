from __future__ import annotations

import pytest

from trainer.demo_catalogue.chinese import CHINESE
from trainer.demo_catalogue.english import ENGLISH
from trainer.demo_catalogue.shapes import SHAPES
from trainer.demo_catalogue.taxonomy import CLASSES, NEEDS, PRICES, class_counts, evidence_needed


def test_classes_are_many_and_each_path_is_one():
    assert len(CLASSES) >= 16
    assert len({each.category for each in CLASSES}) >= 6
    assert len({each.path for each in CLASSES}) == len(CLASSES)
    assert len({each.subcategory for each in CLASSES}) == len(CLASSES)


def test_each_class_is_drawn_and_described_in_both_languages():
    for each in CLASSES:
        assert each.shape in SHAPES
        assert each.topic in ENGLISH.topics
        assert each.topic in CHINESE.topics
        assert each.family in PRICES


def test_shape_and_topic_together_always_tell_the_class():
    assert len({(each.shape, each.topic) for each in CLASSES}) == len(CLASSES)


@pytest.mark.parametrize(
    ("subcategory", "needs"),
    [
        ("Sports watch", "both"),
        ("Crop rover", "both"),
        ("Smart plug", "picture"),
        ("Glucose meter", "text"),
        ("Projector", "either"),
    ],
)
def test_evidence_needed_is_what_other_classes_do_not_share(subcategory, needs):
    (found,) = [each for each in CLASSES if each.subcategory == subcategory]
    assert evidence_needed(found) == needs


def test_every_kind_of_evidence_occurs():
    assert {evidence_needed(each) for each in CLASSES} == set(NEEDS)


def test_classes_that_need_both_form_balanced_grids():
    both = [each for each in CLASSES if evidence_needed(each) == "both"]
    for family in {each.family for each in both}:
        members = [each for each in both if each.family == family]
        shapes, topics = {each.shape for each in members}, {each.topic for each in members}
        assert len(members) == len(shapes) * len(topics) == 4
        assert len({each.weight for each in members}) == 1


def test_counts_have_a_long_tail_and_add_up():
    counts = class_counts(1200)
    assert sum(counts) == 1200
    assert 6.5 <= max(counts) / min(counts) <= 9


def test_counts_of_the_smallest_catalogue_are_one_each():
    assert class_counts(len(CLASSES)) == [1] * len(CLASSES)


def test_too_few_products_are_refused():
    with pytest.raises(ValueError, match=r"num_products >= 26.*num_products=25"):
        class_counts(25)

"""What a component can be told is checked when it is told."""

import pytest

from components.component import find_component
from components.pipeline import make_node


@pytest.mark.parametrize(
    ("component", "given", "message"),
    [
        ("Evaluator", {"min_accuracy": "O.9"}, r"Evaluator\.min_accuracy is a number, such as"),
        ("Evaluator", {"split": 3}, r"Evaluator\.split is text"),
        ("Pusher", {"destination": "d", "pinned": 3}, r"Pusher\.pinned is a list"),
        ("Pusher", {"destination": "d", "keep": 2.5}, r"Pusher\.keep is a whole number"),
        (
            "Pusher",
            {"destination": "d", "name": "x"},
            "Received: 'name'",
        ),
        ("Pusher", {"destination": "d", "component": "x"}, "Unknown parameter of Pusher"),
        ("Pusher", {}, "Pusher needs the parameter 'destination'"),
    ],
)
def test_other_types_are_refused_by_name(component, given, message):
    with pytest.raises(ValueError, match=message):
        find_component(component).make_parameters(given)


def test_a_whole_number_is_a_number():
    assert find_component("Evaluator").make_parameters({"min_accuracy": 1}).min_accuracy == 1


@pytest.mark.parametrize("name", ["a/b", "../x", ".scratch"])
def test_the_name_of_a_step_is_one_of_a_folder(name):
    with pytest.raises(ValueError, match="letters, digits"):
        make_node("SchemaGen", name)

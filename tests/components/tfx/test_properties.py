"""Parameters as execution properties, and the names that TFX gives to outputs."""

from __future__ import annotations

from components.component import find_component, find_components
from components.tfx.names import PACKAGE, output_keys
from components.tfx.properties import from_properties, property_types, to_properties


def test_numbers_and_texts_stay_what_they_are():
    pusher = find_component("Pusher")
    assert property_types(pusher) == {"destination": str, "keep": int, "pinned": str}
    parameters = pusher.make_parameters({"destination": "/srv/models", "pinned": (4, 7)})
    expected = {"destination": "/srv/models", "keep": 3, "pinned": "[4, 7]"}
    assert to_properties(pusher, parameters) == expected


def test_a_whole_number_for_a_share_is_a_float():
    evaluator = find_component("Evaluator")
    properties = to_properties(evaluator, evaluator.make_parameters({"min_accuracy": 1}))
    assert type(properties["min_accuracy"]) is float
    assert properties["min_accuracy"] == 1.0


def test_parameters_come_back_from_properties():
    quantizer = find_component("ModelQuantizer")
    given = {"quantizers": {"full_integer": {"ranges": [0.5, "é"]}}, "accept": True, "products": 8}
    parameters = quantizer.make_parameters(given)
    properties = {**to_properties(quantizer, parameters), PACKAGE: quantizer.package}
    assert properties["quantizers"] == '{"full_integer": {"ranges": [0.5, "é"]}}'
    assert quantizer.make_parameters(from_properties(quantizer, properties)) == parameters
    of_metadata = {**properties, "accept": 1}  # which have no yes and no
    assert from_properties(quantizer, of_metadata)["accept"] is True


def test_no_output_is_named_as_an_input():
    assert output_keys(find_component("ModelQuantizer")) == {"model": "output_model"}
    assert output_keys(find_component("Pusher")) == {"pushed_model": "pushed_model"}


def test_names_are_unique_in_every_component():
    for name, component in find_components().items():
        names = [*component.inputs, *output_keys(component).values(), *property_types(component)]
        assert len(names) == len(set(names)), name

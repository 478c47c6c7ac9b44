"""Our declarations as TFX's specifications."""

from __future__ import annotations

import dataclasses

import pytest
from tfx.dsl.components.base import base_component
from tfx.types import channel, standard_artifacts

from components import artifact
from components.component import find_components
from components.tfx.adapter import tfx_component
from components.tfx.artifacts import TYPES, TaxofuseTransformGraph
from components.tfx.executor import StepExecutor
from components.tfx.resolver import BlessedBefore
from trainer.config import load_config


def of(kind):
    return channel.Channel(type=kind)


def test_every_component_is_one_of_tfx():
    for name in find_components():
        made = tfx_component(name)
        assert issubclass(made, base_component.BaseComponent)
        assert made.__name__ == name


def test_a_specification_has_the_types_of_tfx():
    spec = tfx_component("Evaluator").SPEC_CLASS
    types = {name: one.type for name, one in spec.INPUTS.items()}
    assert types == {
        "examples": standard_artifacts.Examples,
        "model": standard_artifacts.Model,
        "baseline": standard_artifacts.Model,
        "earlier_examples": standard_artifacts.Examples,
    }
    optional = {name for name, one in spec.INPUTS.items() if one.optional}
    assert optional == {"baseline", "earlier_examples"}
    assert spec.OUTPUTS["blessing"].type is standard_artifacts.ModelBlessing
    parameters = {name: one.type for name, one in spec.PARAMETERS.items()}
    assert parameters["min_accuracy"] is float
    assert parameters["min_examples"] is int
    assert parameters["split"] is str


def test_every_type_has_one_of_tfx():
    assert set(TYPES) == artifact.TYPES
    assert len({one.TYPE_NAME for one in TYPES.values()}) == len(TYPES)


def test_values_and_channels_are_taken_apart():
    model = of(standard_artifacts.Model)
    pusher = tfx_component("Pusher")(model=model, destination="/srv/models", pinned=(2,))
    assert set(pusher.inputs) == {"model"}
    assert pusher.exec_properties == {
        "destination": "/srv/models",
        "keep": 3,
        "pinned": "[2]",
        "taxofuse_package": "components.pusher",
    }
    assert pusher.outputs["pushed_model"].type is standard_artifacts.PushedModel


def test_what_decides_nothing_is_no_property():
    def properties(**train):
        config = load_config("tiny")
        config = dataclasses.replace(config, train=dataclasses.replace(config.train, **train))
        examples = of(standard_artifacts.Examples)
        transform = tfx_component("Transform")
        return transform(examples=examples, config=dataclasses.asdict(config)).exec_properties

    assert properties(head_epochs=10) == properties(head_epochs=20)
    assert properties(seed=1) != properties(seed=2)


def test_other_files_under_the_same_name_are_refused():
    with pytest.raises(TypeError, match="should be a Channel of type"):
        tfx_component("ModelTrainer")(
            examples=of(standard_artifacts.Examples),
            transformed_examples=of(standard_artifacts.Examples),
            config={},
        )
    assert not issubclass(TaxofuseTransformGraph, standard_artifacts.TransformGraph)


def test_what_is_missing_or_unknown_is_named():
    with pytest.raises(ValueError, match="SchemaGen needs the input 'statistics'"):
        tfx_component("SchemaGen")()
    with pytest.raises(ValueError, match="Unknown parameter of ExampleGen"):
        tfx_component("ExampleGen")(tabel="products.csv")
    with pytest.raises(ValueError, match="Unknown component"):
        tfx_component("ExampleGenerator")


def test_a_bucket_is_refused():
    examples = standard_artifacts.Examples()
    examples.uri = "gs://bucket/examples"
    given = {"taxofuse_package": "components.statistics_gen"}
    statistics = standard_artifacts.ExampleStatistics()
    with pytest.raises(ValueError, match="pipeline_root that all machines mount"):
        StepExecutor().Do({"examples": [examples]}, {"statistics": [statistics]}, given)


def model(number):
    made = standard_artifacts.Model()
    made.id = number
    return made


def blessing(number, of_model, blessed):
    made = standard_artifacts.ModelBlessing()
    made.id = number
    made.set_int_custom_property("current_model_id", of_model)
    made.set_int_custom_property("blessed", blessed)
    return made


def test_the_model_blessed_before_the_candidate():
    first, second, refused, candidate = (model(number) for number in (1, 3, 5, 7))
    blessings = [blessing(2, 1, 1), blessing(4, 3, 1), blessing(6, 5, 0), blessing(8, 7, 1)]
    given = {
        "model": [candidate, first, refused, second],
        "model_blessing": blessings,
        "candidate": [candidate],
    }
    resolved = BlessedBefore().resolve_artifacts(None, given)
    assert [one.id for one in resolved["model"]] == [3]
    assert [one.id for one in resolved["model_blessing"]] == [4]
    alone = {**given, "model": [candidate, refused]}
    assert BlessedBefore().resolve_artifacts(None, alone) == {
        "model": [],
        "model_blessing": [],
        "candidate": [],
    }

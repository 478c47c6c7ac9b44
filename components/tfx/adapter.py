"""Our components as components of TFX 1.17 to 1.21.

    ExampleGen, StatisticsGen = tfx_component("ExampleGen"), tfx_component("StatisticsGen")
    example_gen = ExampleGen(table="/data/products.csv", label=("category",))
    statistics_gen = StatisticsGen(examples=example_gen.outputs["examples"])

TFX holds the metadata, the cache and the order. A step is done in a process of the Python
that the variable `TAXOFUSE_PYTHON` names, which has taxofuse. TFX's own Python (3.10 or
newer) needs this project's source and no package of it: declarations are light.

With TFX's LocalDagRunner pipelines were run. Untried: its other orchestrators (Beam,
Kubeflow, Vertex AI), and ML Metadata 1.21. All machines must mount `pipeline_root`.
"""

from __future__ import annotations

from typing import Any

from tfx.dsl.components.base import base_component, executor_spec
from tfx.types import channel, component_spec

from components.component import Component, find_component
from components.tfx.artifacts import TYPES
from components.tfx.driver import StepDriver
from components.tfx.executor import StepExecutor
from components.tfx.names import PACKAGE, output_keys
from components.tfx.properties import property_types, to_properties


class Step(base_component.BaseComponent):
    """A component of ours; `tfx_component` makes a class for each.

    Args:
        given: Channels of the inputs and values of the parameters, by name.

    Raises:
        ValueError: naming what is unknown or missing.
    """

    DECLARED: Component
    SPEC_CLASS = component_spec.ComponentSpec
    EXECUTOR_SPEC = executor_spec.ExecutorClassSpec(StepExecutor)
    DRIVER_CLASS = StepDriver

    def __init__(self, **given: Any) -> None:
        declared = self.DECLARED
        inputs = {name: given.pop(name) for name in declared.inputs if name in given}
        for name, spec in declared.inputs.items():
            if name not in inputs and not spec.optional:
                raise ValueError(
                    f"{declared.name} needs the input {name!r}, a channel of {spec.type}."
                )
        # TFX's cache compares all properties: none may be there that decides nothing.
        parameters = declared.decides(declared.make_parameters(given))
        keys = output_keys(declared)
        outputs = {
            keys[name]: channel.Channel(type=TYPES[of]) for name, of in declared.outputs.items()
        }
        properties = {**to_properties(declared, parameters), PACKAGE: declared.package}
        super().__init__(self.SPEC_CLASS(**inputs, **outputs, **properties))


def tfx_component(component: str | Component) -> type[Step]:
    """Returns a component as a class of TFX components.

    Args:
        component: Or its name, such as `StatisticsGen`.
    """
    declared = find_component(component) if isinstance(component, str) else component
    members = {"DECLARED": declared, "SPEC_CLASS": _spec(declared), "__module__": __name__}
    return type(declared.name, (Step,), members)


def _spec(declared: Component) -> type[component_spec.ComponentSpec]:
    keys = output_keys(declared)
    types = {**property_types(declared), PACKAGE: str}
    members = {
        "PARAMETERS": {
            name: component_spec.ExecutionParameter(type=of) for name, of in types.items()
        },
        "INPUTS": {
            name: component_spec.ChannelParameter(type=TYPES[of.type], optional=of.optional)
            for name, of in declared.inputs.items()
        },
        "OUTPUTS": {
            keys[name]: component_spec.ChannelParameter(type=TYPES[of])
            for name, of in declared.outputs.items()
        },
        "__module__": __name__,
    }
    return type(f"{declared.name}Spec", (component_spec.ComponentSpec,), members)

"""What a step declares: what it reads, what it makes, what it can be told."""

from __future__ import annotations

import dataclasses
import importlib
import importlib.util
import json
import pkgutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import components
from components.artifact import TYPES
from trainer.registry import unknown

_KINDS: Mapping[tuple[type, ...], str] = {
    (bool,): "true or false",
    (int,): "a whole number",
    (float, int): "a number",
    (str,): "text",
    (list, tuple): "a list",
    (dict,): "an object",
}


@dataclass(frozen=True)
class NoParameters:
    """Nothing can be told."""


@dataclass(frozen=True)
class Input:
    """What a component reads.

    Args:
        type: Of the artifact.
        optional: Whether it works without.
    """

    type: str
    optional: bool = False


@dataclass(frozen=True)
class Component:
    """A kind of step. `component.py` of its folder has one, named `COMPONENT`.

    Its work is `execute` of the `executor.py` beside it, a plain function

        def execute(inputs, outputs, parameters, scratch) -> dict | None

    of the folders of the inputs by name (`None` where an optional one is not
    there), of new empty folders of the outputs by name, of an instance of
    `parameters`, and of a folder that is kept until the step has succeeded, for
    what an interrupted step goes on from. It may return properties by output.

    Args:
        name: In pipelines and in metadata, such as `StatisticsGen`.
        package: `__package__` of the folder, which has `executor.py` too.
        inputs: By name.
        outputs: Artifact types by name.
        parameters: Frozen dataclass, every field with a default or required.
        reads: Returns the files and folders beside the inputs, such as a
            table, whose contents the outputs depend on, from the parameters.
        decides: Returns the parameters without what the outputs do not depend on, from
            the parameters: where that is equal, what was made is used again.
        holds: Says from the parameters and the folders of the outputs whether what
            was made outside of them is still there; then what was made is used again.
    """

    name: str
    package: str
    inputs: Mapping[str, Input]
    outputs: Mapping[str, str]
    parameters: type = NoParameters
    reads: Callable[[Any], list[Path]] = lambda parameters: []
    decides: Callable[[Any], Any] = lambda parameters: parameters
    holds: Callable[[Any, Mapping[str, Path]], bool] = lambda parameters, outputs: True

    def __post_init__(self) -> None:
        for type_name in [*(spec.type for spec in self.inputs.values()), *self.outputs.values()]:
            if type_name not in TYPES:
                raise ValueError(unknown("type of artifact", type_name, TYPES))
        if not self.outputs:
            raise ValueError(f"A component makes something. Received: {self.name} without outputs.")

    @property
    def executor(self) -> str:
        """Name of the module that works."""
        return f"{self.package}.executor"

    def make_parameters(self, values: Mapping[str, Any]) -> Any:
        """Returns an instance of the parameters.

        Raises:
            ValueError: naming what is unknown or missing.
        """
        fields = {item.name: item for item in dataclasses.fields(self.parameters)}
        for name, value in values.items():
            if name not in fields:
                raise ValueError(unknown(f"parameter of {self.name}", name, fields))
            self._check_type(fields[name], value)
        for name, item in fields.items():
            unset = item.default is dataclasses.MISSING
            if unset and item.default_factory is dataclasses.MISSING and name not in values:
                raise ValueError(f"{self.name} needs the parameter {name!r}.")
        return self.parameters(**values)

    def _check_type(self, item: dataclasses.Field, value: Any) -> None:
        """Refuses what is no number where the default is one, and so on."""
        default = item.default
        if item.default_factory is not dataclasses.MISSING:
            default = item.default_factory()
        for kinds, expected in _KINDS.items():
            if isinstance(default, kinds):
                if not isinstance(value, kinds):
                    raise ValueError(
                        f"{self.name}.{item.name} is {expected}, such as {default!r}. "
                        f"Received: {value!r}."
                    )
                return


def describe_parameters(parameters: Any) -> str:
    """Returns parameters as JSON that is the same for the same values."""
    return json.dumps(dataclasses.asdict(parameters), sort_keys=True, ensure_ascii=False)


def find_components() -> dict[str, Component]:
    """Returns all components by their names: every folder here with a `component.py`."""
    found: dict[str, Component] = {}
    for folder in pkgutil.iter_modules(components.__path__, f"{components.__name__}."):
        module = f"{folder.name}.component"
        if not folder.ispkg or importlib.util.find_spec(module) is None:
            continue
        component = importlib.import_module(module).COMPONENT
        if component.name in found:
            raise ValueError(f"Two components are named {component.name!r}.")
        found[component.name] = component
    return found


def find_component(name: str) -> Component:
    """Returns the component of a name.

    Raises:
        ValueError: if there is none; the message lists those there are.
    """
    found = find_components()
    if name not in found:
        raise ValueError(unknown("component", name, found))
    return found[name]

"""Steps and what flows between them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from graphlib import CycleError, TopologicalSorter
from typing import Any

from components.component import Component, find_component
from trainer.registry import unknown


@dataclass(frozen=True)
class Output:
    """What another step of the pipeline makes.

    Args:
        node: str. Name of the step.
        name: str. Of its output.
    """

    node: str
    name: str


@dataclass(frozen=True)
class Latest:
    """What a step has used last of what is there, such as the model that was pushed last.

    What equals an output of this run never counts: so a run that is repeated finds what
    it found the first time.

    Args:
        node: str. Name of the step.
        output: str. Name of an output of it that must not be empty.
        read: str. Name of the input of it that is meant.
        unless: An output of this run.
        compared: str. Name of an input that the artifact was made from, which is compared
            with `unless` in place of the artifact.
    """

    node: str
    output: str
    read: str
    unless: Output
    compared: str = ""


@dataclass(frozen=True)
class Behind:
    """What an artifact of an earlier run was made from, or what else was made of that.

    Args:
        latest: The artifact, such as the model that was pushed last. Without `compared`,
            what is wanted is compared with `unless`.
        read: str. Name of the input that the step read which made that artifact.
        then: Another step that read the same input, and its output; by default the
            input itself is meant.
    """

    latest: Latest
    read: str
    then: Output | None = None

    @property
    def unless(self) -> Output:
        """An output of this run that does not count."""
        return self.latest.unless


Source = Output | Latest | Behind


@dataclass(frozen=True)
class Node:
    """A component at its place in a pipeline.

    Args:
        component: What is done.
        inputs: Where each of its inputs comes from.
        parameters: Instance of the component's parameters.
        name: str. Of the step; the component's by default.
    """

    component: Component
    inputs: Mapping[str, Source] = field(default_factory=dict)
    parameters: Any = None
    name: str = ""

    def __post_init__(self) -> None:
        component = self.component
        object.__setattr__(self, "name", self.name or component.name)
        if not re.fullmatch(r"\w[\w-]*", self.name):
            raise ValueError(
                "The name of a step is that of a folder: letters, digits, _ and -. "
                f"Received: {self.name!r}."
            )
        if self.parameters is None:
            object.__setattr__(self, "parameters", component.make_parameters({}))
        for name in self.inputs:
            if name not in component.inputs:
                raise ValueError(unknown(f"input of {self.name}", name, component.inputs))
        for name, spec in component.inputs.items():
            if name not in self.inputs and not spec.optional:
                raise ValueError(f"{self.name} needs the input {name!r}, an artifact {spec.type}.")

    @property
    def needs(self) -> set[str]:
        """Names of the steps that come before."""
        sources = [
            source if isinstance(source, Output) else source.unless
            for source in self.inputs.values()
        ]
        return {source.node for source in sources}


def make_node(component: str, name: str = "", /, **given: Any) -> Node:
    """Makes a step of a component by its name.

    Args:
        component: str.
        name: str. Of the step; the component's by default.
        given: Inputs (`Output`, `Latest`, `Behind`) and parameters, by name.
    """
    found = find_component(component)
    inputs = {key: value for key, value in given.items() if isinstance(value, Source)}
    values = {key: value for key, value in given.items() if key not in inputs}
    return Node(found, inputs, found.make_parameters(values), name)


class Pipeline:
    """Steps in an order in which they can run.

    Args:
        name: str.
        nodes: In any order, which is kept as far as they do not wait for each other.
        known: All steps whose artifacts may be read of earlier runs; by default `nodes`.

    Raises:
        ValueError: if names are doubled, an input comes from nowhere or has another
            type than is read, or the steps wait for each other.
    """

    def __init__(
        self, name: str, nodes: Iterable[Node], known: Iterable[Node] | None = None
    ) -> None:
        self.name = name
        given = list(nodes)
        by_name = {node.name: node for node in given}
        earlier = {node.name: node for node in known or given}
        if len(by_name) < len(given):
            raise ValueError(f"Steps need names of their own: {[node.name for node in given]}.")
        for node in given:
            for role, source in node.inputs.items():
                _check_source(by_name, earlier, node, role, source)
        try:
            TopologicalSorter({node.name: node.needs for node in given}).prepare()
        except CycleError as error:
            raise ValueError(f"Steps wait for each other: {' ← '.join(error.args[1])}.") from error
        self.nodes = tuple(_in_order(given))

    def until(self, *names: str) -> Pipeline:
        """Returns the pipeline of some steps and those that they wait for."""
        wanted = {self[name].name for name in names}
        for node in reversed(self.nodes):
            if node.name in wanted:
                wanted |= node.needs
        # What earlier runs have made is found by the names of all steps.
        return Pipeline(self.name, [node for node in self.nodes if node.name in wanted], self.nodes)

    def __getitem__(self, name: str) -> Node:
        for node in self.nodes:
            if node.name == name:
                return node
        raise ValueError(unknown("step", name, [node.name for node in self.nodes]))


def _in_order(nodes: Iterable[Node]) -> Iterator[Node]:
    waiting, done = list(nodes), set[str]()
    while waiting:
        node = next(node for node in waiting if node.needs <= done)
        waiting.remove(node)
        done.add(node.name)
        yield node


def _check_source(
    nodes: Mapping[str, Node],
    earlier: Mapping[str, Node],
    node: Node,
    role: str,
    source: Source,
) -> None:
    if isinstance(source, Output):
        _check_output(nodes, node, source)
        type_name = nodes[source.node].component.outputs[source.name]
    else:
        latest = source if isinstance(source, Latest) else source.latest
        _check_output(earlier, node, Output(latest.node, latest.output))
        inputs = earlier[latest.node].component.inputs
        if latest.read not in inputs:
            raise ValueError(unknown(f"input of {latest.node}", latest.read, inputs))
        _check_output(nodes, node, source.unless)
        type_name = inputs[latest.read].type
        if isinstance(source, Behind):
            of = source.then or source.unless
            _check_output(earlier, node, of)
            type_name = earlier[of.node].component.outputs[of.name]
    if type_name != node.component.inputs[role].type:
        raise ValueError(
            f"{node.name} reads {role!r} as {node.component.inputs[role].type}. "
            f"Received: {source}, which is {type_name}."
        )


def _check_output(nodes: Mapping[str, Node], node: Node, source: Output) -> None:
    if source.node not in nodes:
        raise ValueError(unknown(f"step that {node.name} reads of", source.node, nodes))
    outputs = nodes[source.node].component.outputs
    if source.name not in outputs:
        raise ValueError(unknown(f"output of {source.node}", source.name, outputs))

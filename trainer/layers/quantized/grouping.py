"""Which quantized layers are looked at together."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass

import keras

# Names of Keras and KerasHub: `block3a_expand_conv`, `stack2_block0_1_conv`, `conv4_block1_out`.
_PART_OF_BLOCK = re.compile(r"(.*?block\d+[a-z]?)_|(.*?)/")


@dataclass(frozen=True, eq=False)
class Block:
    """Some layers of a network that are quantized together, or left in float.

    Args:
        name: str. What their paths begin with, or the path of the first.
        layers: The layers.
    """

    name: str
    layers: Sequence[keras.Layer]

    @property
    def num_weights(self) -> int:
        """How many weights have 8 bits when it is quantized; biases never have."""
        weights = [of for layer in self.layers for of in layer._trainable_variables]
        weights += [of for layer in self.layers for of in layer._non_trainable_variables]
        return sum(math.prod(of.shape) for of in weights if len(of.shape) > 1 and of.name != "bias")

    @property
    def pattern(self) -> str:
        """Regular expression of the paths of these layers and of no others."""
        parts = {_pattern(_path(layer), self.name) for layer in self.layers}
        return "|".join(sorted(parts))


def group_layers(layers: Sequence[keras.Layer]) -> list[Block]:
    """Groups quantized layers, in the order of the first of each.

    A block of a transformer, or any other layer that has layers inside, is one
    group; so is a residual block of convolutions, by the names of its layers.
    Any other layer with weights is one by itself. A layer without weights goes
    with the one that it reads from first, which a device computes it with.

    Args:
        layers: That have become twins.
    """
    names: dict[int, str] = {}
    groups: dict[str, list[keras.Layer]] = {}
    known = {id(layer) for layer in layers}
    for layer in layers:
        name = _name_group(layer, known, names)
        groups.setdefault(name, []).append(layer)
    return [Block(name, of) for name, of in groups.items()]


def _name_group(layer: keras.Layer, known: set[int], names: dict[int, str]) -> str:
    if id(layer) not in names:
        path = _path(layer)
        part = _PART_OF_BLOCK.match(path)
        source = _find_source(layer, known)
        if part:
            names[id(layer)] = part[1] or part[2]
        elif source is None:
            names[id(layer)] = path
        else:
            names[id(layer)] = _name_group(source, known, names)
    return names[id(layer)]


def _find_source(layer: keras.Layer, known: set[int]) -> keras.Layer | None:
    """Returns the nearest quantized layer that one without weights reads from first."""
    if layer._trainable_variables or layer._non_trainable_variables:
        return None
    while layer._inbound_nodes and layer._inbound_nodes[0].parent_nodes:
        layer = layer._inbound_nodes[0].parent_nodes[0].operation
        if id(layer) in known:
            return layer
    return None


def _path(layer: keras.Layer) -> str:
    return str(layer.path or layer.name)


def _pattern(path: str, name: str) -> str:
    part = _PART_OF_BLOCK.match(path)
    if part and name in part.groups():
        return re.escape(name) + ("_.*" if part[1] else "/.*")
    return re.escape(path)

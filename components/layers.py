"""Places the boxes of a graph without cycles in layers, so that arrows go down.

Reference:
    Sugiyama, Tagawa and Toda, 1981: layers by the longest path, places within a layer by the
    middle of the neighbours, arrows over several layers by a bend in each.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from graphlib import TopologicalSorter
from itertools import pairwise
from typing import TypeVar

Name = TypeVar("Name", bound=Hashable)
_SWEEPS = 8


@dataclass(frozen=True)
class Bend:
    """Where an arrow passes a layer.

    Args:
        source: Box that it comes from.
        target: Box that it goes to.
        layer: int.
    """

    source: Hashable
    target: Hashable
    layer: int


def find_layers(needs: Mapping[Name, Sequence[Name]]) -> list[list[Name | Bend]]:
    """Returns boxes and bends by layer, those first that need nothing.

    Args:
        needs: By box, the boxes that come before it.
    """
    depth: dict[Name, int] = {}
    for name in TopologicalSorter(needs).static_order():
        depth[name] = max((depth[of] + 1 for of in needs[name]), default=0)
    # What is needed late stands late: short arrows.
    for name in sorted(depth, key=lambda of: -depth[of]):
        after = [depth[of] for of in needs if name in needs[of]]
        depth[name] = max(depth[name], min(after, default=depth[name] + 1) - 1)
    layers: list[list[Name | Bend]] = [[] for _ in range(max(depth.values()) + 1)]
    for name in needs:
        layers[depth[name]].append(name)
    above: dict[Name | Bend, list[Name | Bend]] = {}
    for name, before in needs.items():
        for source in before:
            chain = find_chain(source, name, depth[source], depth[name])
            for upper, lower in pairwise(chain):
                above.setdefault(lower, []).append(upper)
            for bend in chain[1:-1]:
                assert isinstance(bend, Bend)
                if bend not in layers[bend.layer]:
                    layers[bend.layer].append(bend)
    return _untangle(layers, above)


def find_chain(source: Name, target: Name, start: int, end: int) -> list[Name | Bend]:
    """Returns an arrow as the box that it leaves, its bends, and the box that it reaches."""
    return [source, *(Bend(source, target, layer) for layer in range(start + 1, end)), target]


def _untangle(
    layers: list[list[Name | Bend]], above: Mapping[Name | Bend, list[Name | Bend]]
) -> list[list[Name | Bend]]:
    below: dict[Name | Bend, list[Name | Bend]] = {}
    for lower, uppers in above.items():
        for upper in uppers:
            below.setdefault(upper, []).append(lower)
    for sweep in range(_SWEEPS):
        near, order = (above, layers) if sweep % 2 == 0 else (below, layers[::-1])
        places: dict[Name | Bend, float] = {}
        for layer in order:
            middles = {}
            for place, of in enumerate(layer):
                found = [places[other] for other in near.get(of, ()) if other in places]
                middles[of] = sum(found) / len(found) if found else place / len(layer)
            layer.sort(key=middles.__getitem__)
            places |= {of: (place + 0.5) / len(layer) for place, of in enumerate(layer)}
    return layers

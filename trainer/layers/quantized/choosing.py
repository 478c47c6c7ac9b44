"""Which layers of a network are quantized, and which stay in float."""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping, Sequence
from typing import Any

import keras

from trainer.layers.low_rank import LowRankKernel
from trainer.layers.quantized.known import LEFT_FLOAT, needs_no_twin
from trainer.layers.quantized.twin import find_twin

_NUM_SHOWN = 5


def choose_layers(model: keras.Model, keep_float: str) -> tuple[list[keras.Layer], list[Any]]:
    """Returns the layers to quantize; and the layers and functions that stay in float.

    Args:
        model: Not quantized yet.
        keep_float: See `attach_quantizers`.

    Raises:
        ValueError: See `attach_quantizers`.
    """
    operations = _flatten(model)
    _check_merged(operations)
    kept = _find_kept(operations, keep_float)
    chosen, in_float, unknown = [], [], []
    for operation in operations:
        if isinstance(operation, LEFT_FLOAT):
            in_float.append(operation)
        elif _is_left(operation):
            continue
        elif id(operation) in kept:
            in_float.append(operation)
        elif _has_twin(operation):
            chosen.append(operation)
        else:
            unknown.append(operation)
    if unknown:
        names = sorted(f"{type(of).__name__} ({path_of(of)})" for of in unknown)
        pattern = "|".join(sorted({re.escape(path_of(of)) for of in unknown}))
        raise ValueError(
            f"Layers of these types cannot be quantized: {names}. Leave them in float with "
            f"keep_float={pattern!r}, a regular expression of paths."
        )
    return chosen, in_float


def path_of(operation: Any) -> str:
    """Returns what `keep_float` calls a layer, or a function of a functional graph."""
    return str(getattr(operation, "path", None) or operation.name)


def _flatten(operation: Any) -> list[Any]:
    """Returns a layer, all inside of it, and the functions of functional models among these."""
    if not isinstance(operation, keras.Layer):
        return [operation]
    layers = operation._flatten_layers()
    models = [of for of in layers if isinstance(of, keras.src.models.Functional)]
    return list(dict.fromkeys([*layers, *(part for of in models for part in of._operations)]))


def _find_kept(operations: Sequence[Any], keep_float: str) -> Mapping[int, Any]:
    """Returns what an expression keeps in float that would not stay so without it."""
    if not keep_float:
        return {}
    named = [of for of in operations if re.fullmatch(keep_float, path_of(of))]
    parts = {id(part): part for of in named for part in _flatten(of)}
    kept = {key: part for key, part in parts.items() if not _is_left(part)}
    if not kept:
        paths = sorted({path_of(of) for of in operations if not _is_left(of)})
        near = difflib.get_close_matches(keep_float, paths, _NUM_SHOWN, cutoff=0.0)
        raise ValueError(
            "`keep_float` must match the whole path of a layer that would be quantized, or that "
            f"has such layers inside, such as {near}. Received: keep_float={keep_float!r}."
        )
    return kept


def _check_merged(operations: Sequence[Any]) -> None:
    adapted = [of for of in operations if isinstance(of, LowRankKernel)]
    adapted += [of for of in operations if getattr(of, "lora_enabled", False)]
    if adapted:
        raise ValueError(
            "Adapters of low rank must be merged into the kernels before these are quantized. "
            f"Received: {sorted(path_of(of) for of in adapted)}."
        )


def _has_twin(operation: Any) -> bool:
    return isinstance(operation, keras.Layer) and find_twin(type(operation)) is not None


def _is_left(operation: Any) -> bool:
    """Says whether an operation stays as it is, whatever is asked for."""
    if isinstance(operation, LEFT_FLOAT):
        return True
    return not _has_twin(operation) and needs_no_twin(operation)

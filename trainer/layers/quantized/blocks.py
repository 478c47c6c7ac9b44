"""What the layers inside of a block need to know of one another."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
import keras_hub

from trainer.layers.quantized.twin import Twin


def advise_transformer(block: keras_hub.layers.TransformerEncoder) -> None:
    """Says where values come from floats, or go on as such.

    A few channels of a transformer's residual are tens of times as large as
    all others. They are added and normalised in float, so what is read from
    there and written to there is rounded with evened channels.

    Reference:
        Bondarenko et al., 2021, arXiv:2109.12948.
    """
    attention = block._self_attention_layer
    readers = [attention._query_dense, attention._key_dense, attention._value_dense]
    for layer in [*readers, block._feedforward_intermediate_dense]:
        layer.evens_inputs = True
    for layer in (attention._output_dense, block._feedforward_output_dense):
        layer.evens_outputs = True


def share_ranges(block: keras.Layer) -> None:
    """Gives the quantized `projections` of a fusion one range for their results.

    They are laid side by side, which integers can only be on the same grid.
    """
    projections = getattr(block, "projections", None) or {}
    _share([of for _, of in sorted(projections.items())])


def share_ranges_side_by_side(model: keras.Model) -> None:
    """Gives layers whose results a functional model lays side by side one range for them.

    A device has them on one grid, whatever grids they had before.
    """
    for operation in model._operations:
        if _lays_side_by_side(operation):
            _share(_find_laid(operation))


def _find_laid(operation: Any) -> list[Any]:
    """Returns the operations whose results are laid side by side, those of nested ones too."""
    parents = [of.operation for node in operation._inbound_nodes for of in node.parent_nodes]
    found = []
    for parent in parents:
        found += _find_laid(parent) if _lays_side_by_side(parent) else [parent]
    return found


def _lays_side_by_side(operation: Any) -> bool:
    return type(operation).__name__ in ("Concatenate", "Stack")


def _share(layers: Sequence[Any]) -> None:
    twins = [of for of in layers if isinstance(of, Twin) and "output_quantizer" in vars(of)]
    for other in twins[1:]:
        # Past Keras: it has one of its own, which stays idle.
        vars(other)["output_quantizer"] = twins[0].output_quantizer

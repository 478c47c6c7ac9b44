"""A smaller BERT of parts of a larger one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np


def cut_bert(backbone: Any, num_layers: int, piece_ids: Sequence[int]) -> keras.Model:
    """Copies the first layers of a BERT, with the vectors of some word pieces.

    Args:
        backbone: `keras_hub.models.BertBackbone`.
        num_layers: int. How many layers are kept; 0 keeps all.
        piece_ids: Ids of the word pieces that are kept; the index is the new id.

    Returns:
        `BertBackbone` that returns what the first layers of the other one do.

    Raises:
        ValueError: if it has fewer layers.

    Reference:
        Sajjad et al., 2020, "On the effect of dropping layers of pre-trained
        transformer models", arXiv:2004.03844, of which this drops the top.
    """
    if num_layers > backbone.num_layers:
        raise ValueError(
            f"{backbone.name!r} has {backbone.num_layers} layers. Received: "
            f"num_layers={num_layers}."
        )
    config = {key: of for key, of in backbone.get_config().items() if key != "name"}
    config |= {
        "vocabulary_size": len(piece_ids),
        "num_layers": num_layers or backbone.num_layers,
    }
    smaller = type(backbone)(**config, name=backbone.name)
    for layer in smaller.layers:
        weights = backbone.get_layer(layer.name).get_weights()
        if layer.name == "token_embedding":
            weights = [weights[0][np.asarray(piece_ids)]]
        layer.set_weights(weights)
    return smaller

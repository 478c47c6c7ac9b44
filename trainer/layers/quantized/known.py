"""Types of layers that need no twin, because they compute nothing or do so in float by rule."""

from __future__ import annotations

from typing import Any

import keras
import keras_hub
from keras_hub.src.models.efficientnet.fusedmbconv import FusedMBConvBlock
from keras_hub.src.models.efficientnet.mbconv import MBConvBlock
from keras_hub.src.models.mobilenet import mobilenet_backbone as mobilenet

from trainer.layers.adapter_block import Bottleneck
from trainer.layers.join_windows import JoinWindows
from trainer.layers.mean_pooling import MeanPooling
from trainer.layers.modality_dropout import ModalityDropout
from trainer.layers.pretrained_backbone import PretrainedBackbone
from trainer.layers.quantized.folding import FoldedNorm
from trainer.layers.quantized.twin import find_base
from trainer.layers.split_windows import SplitWindows
from trainer.layers.stand_in import StandIn
from trainer.layers.vote_pool import VotePool
from trainer.registry import FUSIONS

# A normalisation takes a device's floats, and those who read it round; a pool has a few weights.
LEFT_FLOAT = (keras.layers.LayerNormalization, VotePool)

# What is multiplied by weights in these is multiplied by layers inside of them, which have twins.
_CONTAINERS = (
    keras.src.models.Functional,
    keras.Sequential,
    keras_hub.layers.TransformerEncoder,
    keras_hub.layers.TokenAndPositionEmbedding,
    PretrainedBackbone,
    Bottleneck,
    FusedMBConvBlock,
    MBConvBlock,
    mobilenet.ConvBnActBlock,
    mobilenet.DepthwiseConvBlock,
    mobilenet.InvertedResidualBlock,
    mobilenet.SqueezeAndExcite2D,
)
# Their inputs moved, chosen or laid side by side; in inference, the inputs themselves.
_MOVES = (
    keras.layers.InputLayer,
    keras.layers.Identity,
    keras.layers.Masking,
    keras.layers.Concatenate,
    keras.layers.RepeatVector,
    keras.layers.Cropping1D,
    keras.layers.Cropping2D,
    keras.layers.ZeroPadding1D,
    keras.layers.ActivityRegularization,
    keras.layers.AlphaDropout,
    keras.layers.Dropout,
    keras.layers.GaussianDropout,
    keras.layers.GaussianNoise,
    keras.layers.SpatialDropout1D,
    keras.layers.SpatialDropout2D,
    FoldedNorm,
    JoinWindows,
    ModalityDropout,
    SplitWindows,
    StandIn,
)
# A few operations for each value, of what comes from floats or goes to them.
_FLOAT_BY_RULE = (
    keras.layers.CategoryEncoding,
    keras.layers.Rescaling,
    keras.layers.Softmax,
    keras.layers.UnitNormalization,
    MeanPooling,
    *LEFT_FLOAT,
)
# Functions of `keras.ops` in a functional graph: moves, and choices by a mask.
# fmt: off
_OPERATIONS = frozenset((
    "Any", "BroadcastTo", "Cast", "Concatenate", "Copy", "Equal", "ExpandDims", "Flip", "GetItem",
    "Greater", "GreaterEqual", "Less", "LessEqual", "LogicalAnd", "LogicalNot", "LogicalOr",
    "Moveaxis", "Multiply", "NotEqual", "OnesLike", "Pad", "Ravel", "Repeat", "Reshape", "Split",
    "Squeeze", "Stack", "Swapaxes", "Take", "Tile", "Transpose", "Where", "ZerosLike",
))
# fmt: on


def needs_no_twin(operation: Any) -> bool:
    """Says whether a layer, or a function of a functional graph, may stay as it is."""
    if not isinstance(operation, keras.Layer):
        is_own = type(operation).__module__.startswith("keras.src.ops.")
        return is_own and type(operation).__name__ in _OPERATIONS
    known = (*_CONTAINERS, *_MOVES, *_FLOAT_BY_RULE, *_fusions())
    return find_base(type(operation), known) is not None


def _fusions() -> tuple[type, ...]:
    """Returns all that are registered: each of them is tested on a device."""
    return tuple(FUSIONS.get(name) for name in FUSIONS.names())

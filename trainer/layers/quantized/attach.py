"""A whole network made to compute with values and weights of 8 bits, in place."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import keras
import keras_hub
import tensorflow as tf

from trainer.layers.pretrained_backbone import PretrainedBackbone

# Imported for the twins that they register.
from trainer.layers.quantized import attention, kernels, outputs, tables  # noqa: F401
from trainer.layers.quantized.blocks import (
    advise_transformer,
    share_ranges,
    share_ranges_side_by_side,
)
from trainer.layers.quantized.choosing import choose_layers, path_of
from trainer.layers.quantized.fake_quant import FakeQuant
from trainer.layers.quantized.folding import FoldedNorm, find_readers, fold_norms
from trainer.layers.quantized.kernels import RECTIFIERS
from trainer.layers.quantized.known import LEFT_FLOAT
from trainer.layers.quantized.twin import become_twin, set_idle


@dataclass(frozen=True)
class Attached:
    """What became of the layers of a network.

    Args:
        quantized: Layers that have become twins.
        folded: Names of the batch normalisations that went into convolutions.
        in_float: Paths of what stays as it was: normalisations, and what was named
            to be kept, with and without weights.
    """

    quantized: Sequence[keras.Layer]
    folded: Sequence[str]
    in_float: Sequence[str]

    @property
    def quantizers(self) -> list[FakeQuant]:
        """All quantizers of values, whether used or not."""
        return [
            part
            for layer in self.quantized
            for part in vars(layer).values()
            if isinstance(part, FakeQuant)
        ]

    def count_types(self) -> dict[str, int]:
        """Returns how many layers of each type were quantized."""
        names = (type(layer).__name__.removeprefix("Quantized") for layer in self.quantized)
        return dict(sorted(Counter(names).items()))


def attach_quantizers(model: keras.Model, keep_float: str = "") -> Attached:
    """Makes every layer of a network that computes a quantized one, in place.

    Values pass unrounded until `calibrate` has found their ranges.

    Args:
        model: Any network of the project, of any depth, its adapters merged.
        keep_float: Regular expression of the paths of layers that stay as they
            are, with all layers inside of them.

    Raises:
        ValueError: naming the layers of which no twin is known, or that have
            adapters; or for a `keep_float` that keeps nothing.
    """
    layers = model._flatten_layers()
    models = [of for of in layers if isinstance(of, keras.src.models.Functional)]
    chosen, in_float = choose_layers(model, keep_float)
    folded = [norm.path for _, norm in fold_norms(model, in_float)]
    chosen = [of for of in chosen if not isinstance(of, FoldedNorm)]
    in_float = [of for of in in_float if not isinstance(of, FoldedNorm)]
    for layer in layers:
        if isinstance(layer, keras_hub.layers.TransformerEncoder):
            advise_transformer(layer)
    for layer in chosen:
        become_twin(layer)
    for layer in in_float:
        if _has_weights(layer) and not isinstance(layer, LEFT_FLOAT):
            set_idle(layer, True)
    _tell_of_readers(chosen)
    for of in models:
        share_ranges_side_by_side(of)
    for layer in layers:
        share_ranges(layer)
        if isinstance(layer, PretrainedBackbone) and not _has_statistics(layer):
            # Nothing is left that a few small batches could overwrite.
            layer.fixed_statistics = False
    return Attached(chosen, folded, [path_of(of) for of in in_float])


def calibrate(model: keras.Model, attached: Attached, batches: Iterable[Mapping[str, Any]]) -> None:
    """Finds the ranges of values from some batches; nothing is rounded meanwhile.

    Args:
        model: With quantizers.
        attached: What `attach_quantizers` returned.
        batches: Inputs of the model.
    """
    run = tf.function(lambda tensors: model(tensors, training=False), reduce_retracing=True)
    for quantizer in attached.quantizers:
        quantizer.observing = quantizer.fixed is None
    for layer in attached.quantized:
        layer.rounds_weights = False
    for tensors in batches:
        run(tensors)
    for quantizer in attached.quantizers:
        quantizer.settle()
    for layer in attached.quantized:
        layer.rounds_weights = True


def _tell_of_readers(chosen: Sequence[keras.Layer]) -> None:
    """Lets layers round their results as those need them who read them, or leave it to these."""
    for layer in chosen:
        if isinstance(layer, attention.QuantizedAttention):
            layer.centre_factors()
        if _is_before_relu(layer, chosen) or _is_read_as_float(layer):
            layer.rounds_result = False


def _is_before_relu(layer: keras.Layer, chosen: Collection[keras.Layer]) -> bool:
    """Says whether a device computes the only reader of a layer, a ReLU, together with it."""
    readers = find_readers(layer)
    while len(readers) == 1 and isinstance(readers[0], FoldedNorm):
        readers = find_readers(readers[0])
    if len(readers) != 1 or not any(readers[0] is of for of in chosen):
        return False
    (reader,) = readers
    if isinstance(reader, keras.layers.ReLU):
        return not reader.negative_slope and not reader.threshold
    return isinstance(reader, keras.layers.Activation) and reader.activation in RECTIFIERS


def _is_read_as_float(layer: keras.Layer) -> bool:
    readers = find_readers(layer)
    without_product = isinstance(layer, keras.layers.Add)
    return without_product and bool(readers) and all(isinstance(of, LEFT_FLOAT) for of in readers)


def _has_statistics(layer: keras.Layer) -> bool:
    return any(
        isinstance(of, keras.layers.BatchNormalization) and not isinstance(of, FoldedNorm)
        for of in layer._flatten_layers()
    )


def _has_weights(operation: Any) -> bool:
    is_layer = isinstance(operation, keras.Layer)
    return is_layer and bool(operation._trainable_variables or operation._non_trainable_variables)

"""The network half of a model as one TFLite file."""

from __future__ import annotations

import tempfile
import warnings

import keras
import numpy as np
import tensorflow as tf

from trainer.layers.device_attention import DeviceAttention
from trainer.layers.device_norm import DeviceNorm
from trainer.quantization.quantizer import Quantizer
from trainer.shared_vectors import share_vectors

SIGNATURE = "serving_default"


def with_logits(scorer: keras.Model) -> keras.Model:
    """Returns a scorer with a dict of `logits` and `scores` `(batch, num_classes)` as outputs."""
    outputs = {"logits": scorer.get_layer("pool").output, "scores": scorer.output}
    return keras.Model(scorer.input, outputs, name="device")


def prepare_for_device(network: keras.Model) -> None:
    """Makes graphs that are traced from now on of operations that devices know and are fast at."""
    for layer in network._flatten_layers():
        if hasattr(layer, "for_device"):
            layer.for_device = True
        form = _find_form(layer)
        if form and not isinstance(layer, form):
            cls = type(layer)
            layer.__class__ = type(f"Device{cls.__name__}", (form, cls), {})


def _find_form(layer: keras.Layer) -> type | None:
    if isinstance(layer, keras.layers.MultiHeadAttention):
        return DeviceAttention
    if isinstance(layer, keras.layers.LayerNormalization):
        return DeviceNorm if layer.axis in (-1, [-1]) and not layer.rms_scaling else None
    return None


def convert(network: keras.Model, quantizer: Quantizer, batch_size: int | None = 1) -> bytes:
    """Converts a prepared network.

    Args:
        network: From tensors by name to a dict of tensors; it stays a device's
            for good.
        quantizer: That has prepared it.
        batch_size: int. Products at a time, fixed in the file; `None` leaves it open,
            as the axes stay that the network's inputs leave open.

    Returns:
        A TFLite file with one signature: `SIGNATURE`, from the network's inputs to
        its outputs, both by name.

    Raises:
        ValueError: if the network has operations that devices do not know, or
            weights or ranges that are NaN or infinite.
    """
    check_finite(network)
    prepare_for_device(network)
    specs = {
        name: tf.TensorSpec((batch_size, *tensor.shape[1:]), tensor.dtype, name=name)
        for name, tensor in network.input.items()
    }
    module = tf.Module()
    module.weights = [of.value for of in network.variables]
    module.run = tf.function(lambda **tensors: network(tensors, training=False))
    signature = module.run.get_concrete_function(**specs)
    with tempfile.TemporaryDirectory() as folder:
        tf.saved_model.save(module, folder, signatures={SIGNATURE: signature})
        converter = tf.lite.TFLiteConverter.from_saved_model(folder, signature_keys=[SIGNATURE])
        # Weights become constants inside of the converter, and their ranges with them. Frozen
        # before, each of its steps copied them: 19 GB for half a gigabyte of weights.
        converter.experimental_enable_resource_variables = False
        quantizer.configure(converter)
        with warnings.catch_warnings():
            # The ranges are in the graph; no statistics are expected.
            warnings.filterwarnings("ignore", "Statistics for quantized inputs")
            try:
                content = converter.convert()
            except Exception as error:
                raise ValueError(
                    f"The network cannot be converted: {_first_line(error)}"
                ) from error
    return share_vectors(content)


def check_finite(network: keras.Model) -> None:
    """Refuses weights that the converter takes without a word, or ends the process for.

    Raises:
        ValueError: if weights are NaN or infinite.
    """
    broken = [
        of.path
        for of in network.variables
        if keras.backend.is_float_dtype(of.dtype) and not np.isfinite(of.numpy()).all()
    ]
    if broken:
        raise ValueError(
            f"{len(broken)} weights of the network hold NaN or infinity: {', '.join(broken[:3])}. "
            "Train again, with a lower learning rate."
        )


def _first_line(error: Exception) -> str:
    return next((line for line in str(error).splitlines() if line.strip()), "")[:500]

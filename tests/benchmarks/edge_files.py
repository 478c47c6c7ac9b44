"""Writes the networks that the benchmark of devices compares, each as an engine reads it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

_TOKENS, _CALIBRATED = 128, 16
# Half of BERT each, since the converter to ONNX takes many times the memory of the weights.
_PARTS = ("picture", "lower", "upper", "votes")


def write_products(path: Path, table: Path, rows: int) -> None:
    """Writes the tensors of some products to compare on, and of others to find ranges on."""
    from edge_network import build_branches_only, read_products, stack

    products = read_products(table, build_branches_only(), rows + _CALIBRATED)
    np.savez(path.with_name("calibration.npz"), **stack(products[rows:]))
    np.savez(path, **stack(products[:rows]))


def write_saved_model(path: Path, batch_size: int) -> None:
    """Writes the float graph, of any number of products."""
    import tensorflow as tf
    from edge_network import build_network

    network, _ = build_network()
    specs = {
        name: tf.TensorSpec((None, *of.shape[1:]), of.dtype, name=name)
        for name, of in network.input.items()
    }
    module = tf.Module()
    module.weights = [of.value for of in network.variables]
    module.run = tf.function(lambda **tensors: network(tensors, training=False))
    signature = module.run.get_concrete_function(**specs)
    tf.saved_model.save(module, str(path), signatures={"serving_default": signature})


def write_float32(path: Path, batch_size: int) -> None:
    _write_tflite(path, "float32")


def write_dynamic_range(path: Path, batch_size: int) -> None:
    _write_tflite(path, "dynamic_range")


def write_full_integer(path: Path, batch_size: int) -> None:
    _write_tflite(path, "full_integer")


def write_fixed(path: Path, batch_size: int) -> None:
    """Writes a part of the float network with fixed lengths, which other engines are made of."""
    import keras
    from edge_network import build_network, cut

    from trainer.device_graph import convert
    from trainer.registry import QUANTIZERS

    network, _ = build_network()
    inner = cut(network, path.name.split("-")[0])
    del network
    fixed = {
        name: keras.Input([axis or _TOKENS for axis in of.shape[1:]], dtype=of.dtype, name=name)
        for name, of in inner.input.items()
    }
    whole = keras.Model(fixed, {"result": inner(fixed)}, name="fixed")
    path.write_bytes(convert(whole, QUANTIZERS.make("float32", {}), batch_size))


def write_onnx(path: Path, batch_size: int) -> None:
    """Writes a part as ONNX, with GELU as one operator, which the converter lacks."""
    import onnx
    import tf2onnx

    tf2onnx.convert.from_tflite(
        str(path.with_suffix(".tflite")), opset=18, output_path=str(path.with_suffix(".raw"))
    )
    model = onnx.load(path.with_suffix(".raw"))
    for node in model.graph.node:
        if node.op_type == "TFL_GELU":
            approximate = "tanh" if node.attribute[0].i else "none"
            del node.attribute[:]
            node.op_type = "Gelu"
            node.attribute.append(onnx.helper.make_attribute("approximate", approximate))
    for opset in model.opset_import:
        if opset.domain in ("", "ai.onnx"):
            opset.version = 20
    onnx.save(model, path)
    path.with_suffix(".raw").unlink()


def write_dynamic(path: Path, batch_size: int) -> None:
    """Writes products of matrices that find the ranges of their inputs anew."""
    from onnxruntime.quantization import QuantType, quantize_dynamic

    plain = path.with_name(path.name.replace("dynamic", "fixed"))
    quantize_dynamic(plain, path, ["MatMul", "Gemm"], True, weight_type=QuantType.QInt8)


def write_static(path: Path, batch_size: int) -> None:
    """Writes convolutions and products of matrices with fixed ranges."""
    plain = path.with_name(path.name.replace("static", "fixed"))
    _quantize(plain, batch_size, path, ["Conv", "MatMul", "Gemm"])


def _quantize(path: Path, batch_size: int, out: Path, operators: list[str]) -> None:
    import onnx
    from onnxruntime.quantization import (
        CalibrationDataReader,
        QuantFormat,
        QuantType,
        quantize_static,
    )

    given = onnx.load(path, load_external_data=False).graph.input
    names = [of.name.removeprefix("serving_default_").removesuffix(":0") for of in given]

    class Reader(CalibrationDataReader):
        def __init__(self) -> None:
            self.batches = _read_batches(path, names, batch_size)

        def get_next(self) -> dict[str, np.ndarray] | None:
            return next(self.batches, None)

    quantize_static(
        path,
        out,
        Reader(),
        quant_format=QuantFormat.QDQ,
        op_types_to_quantize=operators,
        per_channel=True,
        activation_type=QuantType.QUInt8,
        weight_type=QuantType.QInt8,
    )


def _read_batches(path: Path, names: list[str], batch_size: int) -> Iterator[dict[str, np.ndarray]]:
    """Yields what a part reads, the upper half of BERT what the lower half answers."""
    from edge_engines import load_part

    with np.load(path.with_name("calibration.npz")) as of:
        rows = dict(of)
    for at in range(0, _CALIBRATED, batch_size):
        batch = {name: values[at : at + batch_size] for name, values in rows.items()}
        if "hidden" in names:
            batch["hidden"] = load_part(path.with_name(f"lower-fixed-{batch_size}.onnx"))(batch)
        yield {f"serving_default_{name}:0": batch[name] for name in names}


def _write_tflite(path: Path, name: str) -> None:
    from edge_network import build_network

    from trainer.device_graph import convert
    from trainer.registry import QUANTIZERS

    network, _ = build_network()
    quantizer = QUANTIZERS.make(name, {})
    batches: list[Any] = []
    if quantizer.calibrates:
        with np.load(path.with_name("calibration.npz")) as of:
            rows = {key: of[key] for key in network.input}
        batches = [{key: of[at : at + 2] for key, of in rows.items()} for at in range(0, 16, 2)]
    quantizer.prepare(network, batches)
    path.write_bytes(convert(network, quantizer, batch_size=None))


# In this order: some are made of others.
FILES: dict[str, Callable[[Path, int], None]] = {
    "network": write_saved_model,
    "float32.tflite": write_float32,
    "dynamic_range.tflite": write_dynamic_range,
    "full_integer.tflite": write_full_integer,
    **{f"{part}-fixed-{{}}.tflite": write_fixed for part in _PARTS},
    **{f"{part}-fixed-{{}}.onnx": write_onnx for part in _PARTS},
    **{f"{part}-dynamic-{{}}.onnx": write_dynamic for part in ("lower", "upper")},
    **{f"{part}-static-{{}}.onnx": write_static for part in ("picture", "lower", "upper")},
}

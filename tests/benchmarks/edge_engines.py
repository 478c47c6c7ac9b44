"""Engines that run a network on one thread of a CPU."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

Tensors = Mapping[str, np.ndarray]
Engine = Callable[[Tensors], np.ndarray]

# What a part answers, as the next one reads it.
_ANSWERS = {"picture": "image_bytes_resnet50", "lower": "hidden", "upper": "text_bert"}
_PREFIX, _SUFFIX = "serving_default_", ":0"


def load_saved_model(path: Path) -> Engine:
    """Loads the float graph."""
    import tensorflow as tf

    loaded = tf.saved_model.load(str(path))
    run = loaded.signatures["serving_default"]
    names = set(run.structured_input_signature[1])

    def answer(tensors: Tensors) -> np.ndarray:
        given = {name: tf.constant(tensors[name]) for name in names}
        return run(**given)["logits"].numpy()

    answer.keeps = loaded  # type: ignore[attr-defined]
    return answer


def load_tflite(path: Path, short: bool = False) -> Engine:
    """Loads a file as the device's program does; `short` cuts texts as it does, too."""
    from ai_edge_litert.interpreter import Interpreter
    from edge_network import build_branches_only, shorten

    branches = build_branches_only() if short else []
    interpreter = Interpreter(model_path=str(path), num_threads=1)
    run = interpreter.get_signature_runner("serving_default")
    names = set(run.get_input_details())

    def answer(tensors: Tensors) -> np.ndarray:
        given = shorten(branches, tensors)
        return run(**{name: given[name] for name in names})["logits"]

    return answer


def load_onnx(paths: Mapping[str, Path]) -> Engine:
    """Loads the parts of a network into ONNX Runtime."""
    return _chain({part: load_part(path) for part, path in paths.items()})


def load_part(path: Path) -> Engine:
    """Loads one part into ONNX Runtime."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(path, options, ["CPUExecutionProvider"])
    names = [of.name for of in session.get_inputs()]
    return lambda tensors: session.run(None, _rename(names, tensors))[0]


def load_openvino(paths: Mapping[str, Path]) -> Engine:
    """Loads the parts into OpenVINO; what is not quantized is float32."""
    return _load_openvino(paths, "f32")


def load_openvino_bf16(paths: Mapping[str, Path]) -> Engine | None:
    """Loads the parts into OpenVINO; what is not quantized is bfloat16, where the CPU has it."""
    import openvino

    if "BF16" not in openvino.Core().get_property("CPU", "OPTIMIZATION_CAPABILITIES"):
        print("OpenVINO with bfloat16 is left out: the CPU has none.")
        return None
    return _load_openvino(paths, "bf16")


def _load_openvino(paths: Mapping[str, Path], precision: str) -> Engine:
    import openvino

    settings = {
        "INFERENCE_NUM_THREADS": 1,
        "NUM_STREAMS": 1,
        "INFERENCE_PRECISION_HINT": precision,
    }

    def load(path: Path) -> Engine:
        compiled = openvino.Core().compile_model(path, "CPU", settings)
        request = compiled.create_infer_request()
        names = [of.any_name for of in compiled.inputs]
        return lambda tensors: request.infer(_rename(names, tensors))[0]

    return _chain({part: load(path) for part, path in paths.items()})


def _chain(parts: Mapping[str, Engine]) -> Engine:
    """Runs both encoders, and on their embeddings the votes."""

    def answer(tensors: Tensors) -> np.ndarray:
        known = dict(tensors)
        for part, name in _ANSWERS.items():
            known[name] = parts[part](known)
        return parts["votes"](known)

    return answer


def _rename(names: list[str], tensors: Tensors) -> dict[str, np.ndarray]:
    return {name: tensors[name.removeprefix(_PREFIX).removesuffix(_SUFFIX)] for name in names}


_FIXED = {"picture": "fixed", "lower": "fixed", "upper": "fixed"}
_MIXED = {"picture": "static", "lower": "dynamic", "upper": "dynamic"}
_STATIC = {"picture": "static", "lower": "static", "upper": "static"}
# By name of an engine: of each part which of its files, and what loads them.
OTHERS: dict[str, tuple[dict[str, str], Callable[[Mapping[str, Path]], Any]]] = {
    "ONNX Runtime, float32": (_FIXED, load_onnx),
    "ONNX Runtime, int8": (
        _MIXED,
        load_onnx,
    ),
    "OpenVINO, int8": (_STATIC, load_openvino),
    "OpenVINO, int8 and bfloat16": (_STATIC, load_openvino_bf16),
}


def find_missing(file: str) -> str:
    """Returns which packages a file needs that are not installed."""
    needed = ("onnx", "tf2onnx", "onnxruntime", "openvino") if "-" in file else ()
    lacking = [name for name in needed if importlib.util.find_spec(name) is None]
    return f"not installed: {', '.join(lacking)}" if lacking else ""

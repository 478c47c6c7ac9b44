"""Whether a SavedModel is one that TF Serving loads as it is."""

from __future__ import annotations

from pathlib import Path
from typing import Any

# Those of tensorflow-text that TF Serving's binary is linked with and our graphs use.
TEXT_OPS = frozenset(
    {
        "FastBertNormalize",
        "FastWordpieceTokenizeWithOffsets",
    }
)
SIGNATURES = ("serving_default", "features", "explain", "health")
_PYTHON_OPS = frozenset({"PyFunc", "PyFuncStateless", "EagerPyFunc"})


def list_ops(folder: Path) -> list[str]:
    """Returns the names of all operations of a SavedModel, in functions too, sorted.

    Args:
        folder: A version folder.
    """
    found: set[str] = set()
    for graph in (meta.graph_def for meta in _read(folder).meta_graphs):
        functions = {function.signature.name for function in graph.library.function}
        nodes = [*graph.node, *(node for of in graph.library.function for node in of.node_def)]
        # A call of a function stands as an operation of its name.
        found |= {node.op for node in nodes} - functions
    return sorted(found)


def list_signatures(folder: Path) -> list[str]:
    """Returns the names of the signatures of a SavedModel, sorted."""
    found = {name for meta in _read(folder).meta_graphs for name in meta.signature_def}
    return sorted(name for name in found if not name.startswith("__"))


def check_servable(folder: Path) -> list[str]:
    """Returns `list_ops`, all of which TF Serving knows.

    Raises:
        ValueError: for an operation that calls Python, or that is neither
            TensorFlow's nor one of `TEXT_OPS`.
    """
    import tensorflow as tf

    ops = list_ops(folder)
    python = [op for op in ops if op in _PYTHON_OPS]
    # `raw_ops` has TensorFlow's own alone, whatever libraries have registered beside them.
    foreign = [op for op in ops if op not in TEXT_OPS and not hasattr(tf.raw_ops, op)]
    if python or foreign:
        raise ValueError(
            "TF Serving has TensorFlow's own operations and some of tensorflow-text, and no "
            f"Python. Expected none but {sorted(TEXT_OPS)}. Received: {python + foreign} in "
            f"{folder}. Preprocess with other operations (`Encoder.preprocess`)."
        )
    return ops


def _read(folder: Path) -> Any:
    from tensorflow.core.protobuf import saved_model_pb2

    return saved_model_pb2.SavedModel.FromString((folder / "saved_model.pb").read_bytes())

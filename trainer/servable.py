"""Whether a SavedModel is one that TF Serving loads as it is."""

from __future__ import annotations

from pathlib import Path

# Those of tensorflow-text that TF Serving's binary is linked with and our graphs use.
TEXT_OPS = frozenset(
    {
        "TFText>FastBertNormalize",
        "TFText>FastWordpieceTokenizeWithOffsets",
    }
)
_PYTHON_OPS = frozenset({"PyFunc", "PyFuncStateless", "EagerPyFunc", "GeneratorDataset"})


def list_ops(folder: Path) -> list[str]:
    """Returns the names of all operations of a SavedModel, in functions too, sorted.

    Args:
        folder: A version folder.
    """
    from tensorflow.core.protobuf import saved_model_pb2

    model = saved_model_pb2.SavedModel.FromString((folder / "saved_model.pb").read_bytes())
    found: set[str] = set()
    for graph in (meta.graph_def for meta in model.meta_graphs):
        functions = {function.signature.name for function in graph.library.function}
        nodes = [*graph.node, *(node for of in graph.library.function for node in of.node_def)]
        # A call of a function stands as an operation of its name.
        found |= {node.op for node in nodes} - functions
    return sorted(found)


def check_servable(folder: Path) -> list[str]:
    """Returns `list_ops`, all of which TF Serving knows.

    Raises:
        ValueError: for an operation that calls Python, or that is neither
            TensorFlow's nor one of `TEXT_OPS`.
    """
    from tensorflow.python.framework import op_def_registry

    ops = list_ops(folder)
    python = [op for op in ops if op in _PYTHON_OPS]
    # Operations of other libraries bear its name before a `>`.
    foreign = [
        op for op in ops if op not in TEXT_OPS and (">" in op or op_def_registry.get(op) is None)
    ]
    if python or foreign:
        raise ValueError(
            "TF Serving has TensorFlow's own operations and some of tensorflow-text, and no "
            f"Python. Expected none but {sorted(TEXT_OPS)}. Received: {python + foreign} in "
            f"{folder}. Preprocess with other operations (`Encoder.preprocess`)."
        )
    return ops

"""Classify and Regress, for signatures that were made for them."""

from __future__ import annotations

import numpy as np

from serving.server.calls import Call
from serving.server.inference import predict
from serving.server.signature import Signature
from serving.server.status import Code, ServingError, invalid
from serving.server.versions import Version

CLASSIFY = "tensorflow/serving/classify"
REGRESS = "tensorflow/serving/regress"


async def classify(
    version: Version, name: str, examples: list[bytes], deadline: float, call: Call
) -> tuple[np.ndarray | None, np.ndarray | None]:
    """Classifies serialized tf.Example.

    Returns:
        Class names (bytes) and scores (float32), each `(examples, classes)` or None.

    Raises:
        ServingError: if the signature is none of classification, or its
            outputs are not of that shape.
    """
    signature = _find(version, name)
    if signature.method != CLASSIFY:
        raise invalid(
            f"Expected classification signature method_name to be {CLASSIFY}. "
            f"Was: {signature.method}"
        )
    if list(signature.inputs) != ["inputs"]:
        raise invalid(f"No classification inputs found in SignatureDef: {signature.name}")
    if not examples:
        raise invalid("Input is empty.")
    inputs = np.empty(len(examples), object)
    inputs[:] = examples
    outputs = await predict(version, signature.name, {"inputs": inputs}, deadline, call)
    classes, scores = outputs.get("classes"), outputs.get("scores")
    for array in (classes, scores):
        if array is not None and array.ndim != 2:
            raise invalid(
                f"Expected Tensor shape: [batch_size num_classes] but got {list(array.shape)}"
            )
    if classes is None and scores is None:
        raise invalid(
            'Expected classification signature outputs to contain at least one of "classes" '
            'or "scores".'
        )
    if classes is not None and scores is not None and classes.shape != scores.shape:
        raise invalid(
            "Tensors class and score should match in dim_size(1). "
            f"Got {classes.shape[1]} vs. {scores.shape[1]}"
        )
    return classes, scores


def refuse_regression(version: Version, name: str) -> ServingError:
    """Returns why there is no regression."""
    signature = _find(version, name)
    if signature.method != REGRESS:
        return invalid(
            f"Expected regression signature method_name to be {REGRESS}. Was: {signature.method}"
        )
    return ServingError(Code.UNIMPLEMENTED, "This server does not regress: use predict.")


def _find(version: Version, name: str) -> Signature:
    name = name or "serving_default"
    signature = version.signature(name)
    if signature is None:
        raise invalid(f"No signature was found with the name: {name[:64]}")
    return signature

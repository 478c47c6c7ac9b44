"""Whether the file on the device answers like the network that was trained, in figures."""

from __future__ import annotations

import hashlib
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from trainer.device_graph import SIGNATURE
from trainer.progress import progress_bar

Tensors = Mapping[str, np.ndarray]


@dataclass(frozen=True)
class Thresholds:
    """What a file must keep to be written.

    Args:
        agreement: Least share of rows that it answers like the float network, and
            like the network with rounded values that it was made of.
        accuracy_loss: Largest loss of accuracy, where labels are known.
    """

    agreement: float = 0.97
    accuracy_loss: float = 0.02

    def __post_init__(self) -> None:
        for name, value in vars(self).items():
            if not 0 <= value <= 1:
                raise ValueError(f"`{name}` must be from 0 to 1. Received: {name}={value}.")


class DeviceNetwork:
    """Runs a TFLite file, one product at a time on one thread."""

    def __init__(self, content: bytes) -> None:
        from ai_edge_litert.interpreter import Interpreter

        self.content = content
        self._interpreter = Interpreter(model_content=content, num_threads=1)
        self._run = self._interpreter.get_signature_runner(SIGNATURE)
        self._names = list(self._run.get_input_details())

    def __call__(self, tensors: Tensors) -> np.ndarray:
        """Returns the logits of a product `(num_classes,)`."""
        return self._run(**{name: tensors[name] for name in self._names})["logits"][0]

    def count_operators(self) -> list[dict[str, Any]]:
        """Returns how many operators there are of each type and precision, most frequent first.

        The precision is that of what an operator returns; `weights` that of its
        second input, where it has one.
        """
        types = {
            of["index"]: np.dtype(of["dtype"]).name for of in self._interpreter.get_tensor_details()
        }
        counts = Counter(
            (
                of["op_name"],
                types.get(of["outputs"][0], ""),
                types.get(of["inputs"][1], "") if len(of["inputs"]) > 1 else "",
            )
            for of in self._interpreter._get_ops_details()
            if of["op_name"] != "DELEGATE"
        )
        return [
            {"operator": name, "precision": precision, "weights": weights, "count": count}
            for (name, precision, weights), count in counts.most_common()
        ]


def compare(
    device: DeviceNetwork,
    rows: Sequence[Tensors],
    float_logits: np.ndarray,
    prepared_logits: np.ndarray,
    class_ids: np.ndarray,
) -> dict[str, Any]:
    """Compares a file with the network that it was made of.

    Args:
        device: The file.
        rows: Of each product its tensors, with a leading axis of 1.
        float_logits: `(rows, num_classes)`, of the network as it was trained.
        prepared_logits: The same of the network with rounded values.
        class_ids: `(rows,)`, -1 where the label is not known.
    """
    with progress_bar("Comparing", len(rows)) as bar:
        logits = []
        for row in rows:
            logits.append(device(row))
            bar.update(1)
    found = {"float": float_logits, "prepared": prepared_logits, "device": np.array(logits)}
    answered = np.isfinite(found["device"]).all(axis=1)
    answers = {name: of.argmax(axis=1) for name, of in found.items()}
    labelled = class_ids >= 0
    accuracy = None
    if labelled.any():
        accuracy = {
            name: float(np.mean(of[labelled] == class_ids[labelled]))
            for name, of in answers.items()
        }
    others = ("float", "prepared")
    return {
        "num_rows": len(rows),
        "num_labelled": int(labelled.sum()),
        "num_answered": int(answered.sum()),
        "agreement": {
            name: float(np.mean(answered & (answers["device"] == answers[name]))) for name in others
        },
        "largest_logit_difference": {
            name: float(np.abs(found["device"] - found[name])[answered].max(initial=0))
            for name in others
        },
        "accuracy": accuracy,
        "bytes": len(device.content),
        "sha256": hashlib.sha256(device.content).hexdigest(),
        "operators": device.count_operators(),
    }


def measure_latency(
    devices: Mapping[str, DeviceNetwork], rows: Sequence[Tensors]
) -> dict[str, float]:
    """Returns the median CPU time of a product in milliseconds; the files take turns on each."""
    times: dict[str, list[float]] = {name: [] for name in devices}
    for device in devices.values():
        device(rows[0])
    for row in rows:
        for name, device in devices.items():
            began = time.process_time()
            device(row)
            times[name].append(time.process_time() - began)
    return {name: 1000 * float(np.median(of)) for name, of in times.items()}


def find_breaches(certificate: Mapping[str, Any], thresholds: Thresholds) -> list[str]:
    """Returns what a file does not keep, in words."""
    breaches = []
    lost = certificate["num_rows"] - certificate["num_answered"]
    if lost:
        breaches.append(f"answers {lost} of {certificate['num_rows']} rows with NaN or infinity")
    for name, told in (("float", "float network"), ("prepared", "network with rounded values")):
        agreement = certificate["agreement"][name]
        if agreement < thresholds.agreement:
            breaches.append(
                f"answers {agreement:.3f} of the rows like the {told}, of {thresholds.agreement}"
            )
    accuracy = certificate["accuracy"]
    if accuracy is not None:
        lost = accuracy["float"] - accuracy["device"]
        if lost > thresholds.accuracy_loss:
            breaches.append(f"loses {lost:.3f} of accuracy, of at most {thresholds.accuracy_loss}")
    return breaches

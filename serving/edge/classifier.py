"""Raw products in, labels out, with nothing but an interpreter for the network."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from ai_edge_litert.interpreter import Interpreter

from serving.edge.product import ProductReader
from serving.edge.rules import Rule, exclude, find_excluded

MODEL_FILE = "edge.json"
_SIGNATURE = "serving_default"


@dataclass(frozen=True)
class Answer:
    """What the model says of a product.

    Args:
        label: The class.
        confidence: Its probability.
        scores: Of all classes, `(num_classes,)`, in the order of `Classifier.labels`.
    """

    label: str
    confidence: float
    scores: np.ndarray


class Classifier:
    """Answers products from an exported folder.

    Args:
        folder: What `taxofuse export --format tflite` wrote.
        variant: Name of one of its files; the first that it lists by default.
        threads: int. For the network.

    Raises:
        FileNotFoundError: if there is no such folder or file.
        ValueError: if it has no such variant, or a file is not the one that
            was exported.
    """

    def __init__(self, folder: str | Path, variant: str = "", threads: int = 1) -> None:
        path = Path(folder) / MODEL_FILE
        if not path.is_file():
            raise FileNotFoundError(
                f"No model in {path.parent.absolute()}: {MODEL_FILE} is missing. Give a folder "
                "that `taxofuse export --format tflite` wrote."
            )
        card = json.loads(path.read_text(encoding="utf-8"))
        variants: dict[str, dict[str, Any]] = card["variants"]
        self.variant = variant or next(iter(variants))
        if self.variant not in variants:
            raise ValueError(
                f"Unknown variant. Expected one of {list(variants)}. Received: {variant!r}."
            )
        self.labels: list[str] = card["class_names"]
        self.rules = [Rule(**rule) for rule in card["rules"]]
        self.reader = ProductReader(card["branches"])
        network = _read(path.parent / variants[self.variant]["file"], variants[self.variant])
        self._run = Interpreter(model_content=network, num_threads=threads).get_signature_runner(
            _SIGNATURE
        )
        self._names = set(self._run.get_input_details())

    def answer(self, row: Mapping[str, bytes | float]) -> Answer:
        """Answers a product.

        Args:
            row: Raw values by input name, see `ProductReader.preprocess`.

        Raises:
            ValueError: for an unknown input, or a picture that cannot be decoded.
        """
        tensors = self.reader.shorten(self.reader.preprocess([row]))
        scores = self._run(**{name: tensors[name] for name in self._names})["scores"]
        excluded = find_excluded(self.rules, self.labels, self.reader.collect([row]))
        scores = exclude(scores, excluded)[0]
        best = int(scores.argmax())
        return Answer(self.labels[best], float(scores[best]), scores)

    def answer_all(self, rows: Sequence[Mapping[str, bytes | float]]) -> list[Answer]:
        """Answers products one after the other: the memory of one is enough."""
        return [self.answer(row) for row in rows]


def _read(path: Path, variant: Mapping[str, Any]) -> bytes:
    if not path.is_file():
        raise FileNotFoundError(f"The network is missing: {path.absolute()}. Export it again.")
    content = path.read_bytes()
    if hashlib.sha256(content).hexdigest() != variant["sha256"]:
        raise ValueError(f"{path} is not the file that was exported. Copy it again.")
    return content

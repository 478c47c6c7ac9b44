"""What spoke for the label of one product: what the signature `explain` says of a row."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from trainer.answers import join_status
from trainer.data.examples import Example
from trainer.inputs import InputSpec


@dataclass(frozen=True, eq=False)
class Explanation:
    """What spoke for the label of one product, and what against it.

    All scores are parts of the same whole, `evidence`; above 0 speaks for the
    label. Those of regions and of words are parts of the share of their input.

    Args:
        id: str.
        label: str.
        confidence: float.
        status: str. `"ok"`, or what was wrong with the row.
        shares: By input; without their signs they sum to 1, or are all 0.
        evidence: float. The whole in logits, above the mean of all classes.
        regions: By image input float array `(rows, columns)`, from the top left.
        words: By text input the words in their order, with scores.
        values: The raw values, by input.
    """

    id: str
    label: str
    confidence: float
    status: str
    shares: dict[str, float]
    evidence: float
    regions: dict[str, np.ndarray]
    words: dict[str, list[tuple[str, float]]]
    values: dict[str, bytes | float] = field(repr=False)

    def to_dict(self) -> dict[str, Any]:
        """Returns what JSON can hold of it: all but the raw values."""
        return {
            "id": self.id,
            "label": self.label,
            "confidence": self.confidence,
            "status": self.status,
            "evidence": self.evidence,
            "shares": self.shares,
            "regions": {name: of.tolist() for name, of in self.regions.items()},
            "words": {
                name: [{"word": word, "score": score} for word, score in of]
                for name, of in self.words.items()
            },
        }


def read_explanation(
    example: Example, inputs: Sequence[InputSpec], outputs: Mapping[str, Any]
) -> Explanation:
    """Reads what `explain` says of one row.

    Args:
        example: The row.
        inputs: Of the model.
        outputs: NumPy values of the row by output name.
    """
    words = {}
    for spec in inputs:
        if spec.kind == "text":
            found = [word.decode("utf-8") for word in outputs[f"{spec.name}_words"]]
            scores = map(float, outputs[f"{spec.name}_word_scores"])
            # Shorter texts of a batch are filled up with empty words.
            words[spec.name] = [pair for pair in zip(found, scores, strict=True) if pair[0]]
    names = [name.decode() for name in outputs["inputs"]]
    return Explanation(
        id=example.id,
        label=outputs["label"].decode("utf-8"),
        confidence=float(outputs["confidence"]),
        status=join_status(example.problems, outputs["status"].decode("utf-8")),
        shares=dict(zip(names, map(float, outputs["shares"]), strict=True)),
        evidence=float(outputs["evidence"]),
        regions={
            spec.name: outputs[f"{spec.name}_regions"] for spec in inputs if spec.kind == "image"
        },
        words=words,
        values=example.values,
    )

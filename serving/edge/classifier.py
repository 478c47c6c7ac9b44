"""Raw products in, labels out, with nothing but an interpreter for the network."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from ai_edge_litert.interpreter import Interpreter

from serving.edge.card import Card, load_card
from serving.edge.product import Row
from serving.edge.rules import exclude, find_excluded

OK = "ok"
NOTHING = "nothing to go by"
NO_CLASS_LEFT = "the rules exclude every class and are ignored"
"""What servers say of such products, too."""

_SIGNATURE, _SCORES = "serving_default", "scores"


@dataclass(frozen=True)
class Answer:
    """What the model says of a product.

    Args:
        label: The class.
        confidence: Its probability.
        scores: Of all classes, `(num_classes,)`, in the order of `Classifier.labels`.
        status: `"ok"`, or what of the product could not be read, by input. The
            rest of it is what the answer goes by.
        anything: Whether there was a rest.
    """

    label: str
    confidence: float
    scores: np.ndarray
    status: str = OK
    anything: bool = True


class Classifier:
    """Answers products from an exported folder.

    Args:
        folder: What `taxofuse export --format tflite` wrote.
        variant: Name of one of its files; the first that it lists by default.
        threads: int. For the network.

    Raises:
        FileNotFoundError: if there is no such folder or file.
        ValueError: if it has no such variant, a file is not the one that was
            exported, or its parts are not of one model.
    """

    def __init__(self, folder: str | Path, variant: str = "", threads: int = 1) -> None:
        card = load_card(Path(folder))
        self.variant = variant or next(iter(card.variants))
        if self.variant not in card.variants:
            raise ValueError(
                f"Unknown variant. Expected one of {list(card.variants)}. Received: {variant!r}."
            )
        self.labels = card.labels
        self.rules = card.rules
        self.reader = card.reader
        path = card.path.parent / card.variants[self.variant]["file"]
        self._run = _load_network(path, card.variants[self.variant]["sha256"], threads)
        self._names = set(self._run.get_input_details())
        _check_network(path, card, self._run)

    def answer(self, row: Row) -> Answer:
        """Answers a product from what of it can be read.

        Args:
            row: What is told of it by input name, see `ProductReader.read`.

        Raises:
            ValueError: for an unknown input.
        """
        product = self.reader.read(row)
        scores = self._run(**{name: product.tensors[name] for name in self._names})[_SCORES]
        excluded = find_excluded(self.rules, self.labels, self.reader.collect([product.values]))
        told = [*product.problems]
        if not product.present:
            told.append(NOTHING)
        if excluded.all():
            told.append(NO_CLASS_LEFT)
        scores = exclude(scores, excluded)[0]
        best = int(scores.argmax())
        return Answer(
            self.labels[best],
            float(scores[best]),
            scores,
            status="; ".join(told) or OK,
            anything=bool(product.present),
        )

    def answer_all(self, rows: Sequence[Row]) -> list[Answer]:
        """Answers products one after the other: the memory of one is enough."""
        return [self.answer(row) for row in rows]


def _load_network(path: Path, sha256: str, threads: int) -> Any:
    """Returns what runs the network's signature."""
    if not path.is_file():
        raise FileNotFoundError(f"The network is missing: {path.absolute()}. Export it again.")
    content = path.read_bytes()
    if hashlib.sha256(content).hexdigest() != sha256:
        raise ValueError(f"{path} is not the file that was exported. Copy it again.")
    try:
        network = Interpreter(model_content=content, num_threads=threads)
        return network.get_signature_runner(_SIGNATURE)
    except (ValueError, RuntimeError) as error:
        raise ValueError(
            f"{path} is no network with the signature {_SIGNATURE!r} that can be run here: {error}"
        ) from error


def _check_network(path: Path, card: Card, run: Any) -> None:
    """Raises ValueError where a network does not belong to its preprocessing."""
    read: Mapping[str, Any] = run.get_input_details()
    made = card.reader.read({}).tensors
    told = {
        "reads, and its preprocessing does not make": sorted(read.keys() - made.keys()),
        "does not read, and its preprocessing makes": sorted(made.keys() - read.keys()),
        "reads in another shape or type": [
            name for name in sorted(read.keys() & made.keys()) if not _fits(read[name], made[name])
        ],
    }
    if wrong := [f"{what} {names}" for what, names in told.items() if names]:
        raise ValueError(
            f"{path} and {card.path} are not of one model: the network {'; it '.join(wrong)}. "
            "Copy or export the whole folder again."
        )
    outputs = run.get_output_details()
    if _SCORES not in outputs:
        raise ValueError(f"{path} must give {_SCORES!r}. It gives {sorted(outputs)}.")
    if (num_classes := int(outputs[_SCORES]["shape"][-1])) != len(card.labels):
        raise ValueError(
            f"{path} gives scores of {num_classes} classes, {card.path} names {len(card.labels)}. "
            "Copy or export the whole folder again."
        )


def _fits(read: Mapping[str, Any], made: np.ndarray) -> bool:
    """Says whether a network takes an array; texts may be of any length."""
    expected = read.get("shape_signature", read["shape"])
    sizes = zip(expected, made.shape, strict=False)
    same = all(size in (-1, own) for size, own in sizes)
    return len(expected) == made.ndim and same and read["dtype"] == made.dtype

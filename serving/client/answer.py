"""What a server said of a product, in types."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np

from serving.client.errors import ServingError
from serving.client.protocol import Reply

OK = "ok"
NOT_ANSWERED = "not answered"


@dataclass(frozen=True)
class Answer:
    """The class of one product.

    Args:
        label: str. The most probable class; `""` if the row was not answered.
        confidence: float. Its probability; NaN if the row was not answered.
        scores: Probability by class name.
        status: `"ok"`, what was wrong with the product, or, after `not
            answered: `, what kept it from being answered.
        version: int. Of the model; `None` where the server does not say.
    """

    label: str
    confidence: float
    scores: Mapping[str, float]
    status: str = OK
    version: int | None = None

    @property
    def is_answered(self) -> bool:
        """Whether there is a label, be it of a product of which something was wrong."""
        return bool(self.label)


@dataclass(frozen=True, eq=False)
class Explanation:
    """Why a product got its label; positive numbers speak for it.

    Args:
        label: str. The class that is explained: the most probable one.
        confidence: float. Its probability.
        status: As of `Answer`.
        regions: By picture input, float array `(rows, columns)` over the picture.
        words: By text input, the words and what each contributed, in order.
        shares: What each input contributed.
        version: As of `Answer`.
    """

    label: str
    confidence: float
    status: str
    regions: Mapping[str, np.ndarray]
    words: Mapping[str, tuple[tuple[str, float], ...]]
    shares: Mapping[str, float]
    version: int | None = None


def read_answers(reply: Reply) -> list[Answer]:
    """Returns the answers of a reply of `serving_default`, a row each.

    Raises:
        ServingError: if the outputs are not those of a classifier made here.
    """
    check_outputs(reply, ("label", "confidence", "scores", "labels"))
    outputs = reply.outputs
    status = read_status(reply)
    return [
        Answer(
            label=label.decode(),
            confidence=float(confidence),
            scores=MappingProxyType(
                dict(zip([name.decode() for name in names], scores.tolist(), strict=True))
            ),
            status=state,
            version=reply.version,
        )
        for label, confidence, names, scores, state in zip(
            outputs["label"],
            outputs["confidence"],
            outputs["labels"],
            outputs["scores"],
            status,
            strict=True,
        )
    ]


def read_explanation(reply: Reply) -> Explanation:
    """Returns the explanation in a reply of `explain` about one row; raises as `read_answers`."""
    check_outputs(reply, ("label", "confidence", "inputs", "shares"))
    outputs = reply.outputs
    names = [name.removesuffix("_words") for name in outputs if name.endswith("_words")]
    return Explanation(
        label=outputs["label"][0].decode(),
        confidence=float(outputs["confidence"][0]),
        status=read_status(reply)[0],
        regions={
            name.removesuffix("_regions"): values[0]
            for name, values in outputs.items()
            if name.endswith("_regions")
        },
        words={
            name: tuple(
                (word.decode("utf-8", "replace"), float(score))
                for word, score in zip(
                    outputs[f"{name}_words"][0], outputs[f"{name}_word_scores"][0], strict=True
                )
                if word
            )
            for name in names
        },
        shares={
            name.decode(): float(share)
            for name, share in zip(outputs["inputs"][0], outputs["shares"][0], strict=True)
            if name
        },
        version=reply.version,
    )


def read_status(reply: Reply) -> list[str]:
    """Returns the status of each row; `ok` where the model was exported without that output."""
    if "status" in reply.outputs:
        return [state.decode("utf-8", "replace") for state in reply.outputs["status"]]
    return [OK] * len(next(iter(reply.outputs.values())))


def not_answered(error: Exception) -> Answer:
    """Returns the answer of a row that has none."""
    what = error if isinstance(error, ServingError) else f"{type(error).__name__}: {error}"
    return Answer("", math.nan, MappingProxyType({}), f"{NOT_ANSWERED}: {what}")


def check_outputs(reply: Reply, expected: tuple[str, ...]) -> None:
    """Raises ServingError unless a reply has some outputs."""
    if missing := [name for name in expected if name not in reply.outputs]:
        raise ServingError(
            "FAILED_PRECONDITION",
            f"the model's answer has the outputs {sorted(reply.outputs)}, but not {missing}: it "
            "was not exported by this version of taxofuse. `Client.call` asks any model",
        )

"""A product that the model put in the wrong class, as the report shows it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Mistake:
    """One wrong answer with the evidence it was given on.

    Args:
        id: str. The row's id.
        true_label: str. What the table says.
        predicted_label: str. What the model says.
        confidence: float. Probability of the answer.
        true_score: float or None. Probability of the true class; None where
            the model does not know that class.
        text: str. Text of the product; long ones are cut.
        picture: bytes. The picture file as it is, `b""` where there is none.
        details: Other cells worth showing, such as `{"price": "1,299"}`.
        status: str. `"ok"` or the problems of the row.
    """

    id: str
    true_label: str
    predicted_label: str
    confidence: float
    true_score: float | None = None
    text: str = ""
    picture: bytes = field(default=b"", repr=False)
    details: Mapping[str, str] = field(default_factory=dict)
    status: str = "ok"

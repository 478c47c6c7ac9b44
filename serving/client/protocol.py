"""What REST and gRPC have in common: who is asked, and what comes back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

import numpy as np

UNNAMED = ""
"""Name of the one output of a signature over REST, which leaves it out."""


@dataclass(frozen=True)
class ModelName:
    """Which model is asked.

    Args:
        name: str.
        version: A number; `None` for the newest, or the label's.
        label: str. Such as `"stable"`; `""` for none.

    Raises:
        ValueError: for an empty name, or both a version and a label.
    """

    name: str
    version: int | None = None
    label: str = ""

    def __post_init__(self) -> None:
        if not self.name or "/" in self.name:
            raise ValueError(f"`model` must be a name without '/'. Received: {self.name!r}.")
        if self.version is not None and self.label:
            raise ValueError(
                "A model is asked by version or by label, not both. "
                f"Received: version={self.version}, label={self.label!r}."
            )


@dataclass(frozen=True, eq=False)
class Reply:
    """Outputs of a signature.

    Args:
        outputs: Arrays by name; strings as `bytes` in arrays of objects.
        version: int. Of the model that answered; `None` where the server does
            not say, as over REST.
    """

    outputs: Mapping[str, np.ndarray]
    version: int | None


@dataclass(frozen=True)
class Signature:
    """Inputs and outputs by name, each with the protocol's number of its type."""

    inputs: Mapping[str, int]
    outputs: Mapping[str, int]


@dataclass(frozen=True)
class Metadata:
    """What a server says of a model: its version and its signatures by name."""

    version: int | None
    signatures: Mapping[str, Signature]


@dataclass(frozen=True)
class VersionStatus:
    """One version of a model on the server.

    Args:
        version: int.
        state: str. `START`, `LOADING`, `AVAILABLE`, `UNLOADING`, `END` or `UNKNOWN`.
        error: str. Why it could not be loaded, `""` if nothing went wrong.
    """

    version: int
    state: str
    error: str


class Transport(Protocol):
    """One way to a server; safe to use from many threads."""

    def predict(
        self, model: ModelName, signature: str, inputs: Mapping[str, np.ndarray], timeout: float
    ) -> Reply:
        """Asks once.

        Raises:
            ServingError: where there is no answer.
        """

    def metadata(self, model: ModelName, timeout: float) -> Metadata:
        """Asks once for the signatures; raises as `predict`."""

    def status(self, model: ModelName, timeout: float) -> list[VersionStatus]:
        """Asks once for the versions; raises as `predict`."""

    def close(self) -> None:
        """Closes all connections."""

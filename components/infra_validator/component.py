"""Asks a candidate as clients will, in a server of its own, before anyone else does."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from components.artifact import EXAMPLES, INFRA_BLESSING, MODEL
from components.component import Component, Input


@dataclass(frozen=True)
class Parameters:
    """How much is asked, and what is good enough. A limit of 0 is none.

    Args:
        split: Of the examples; by default the first that has products.
        products: int. How many of its first products are sent.
        requests: int. Of one product each, whose latency is measured.
        tolerance: float. Between scores of the server and of the model called directly.
        start_seconds: float. That the server may take until it answers.
        p50_ms: float. Limit of the median latency of one product.
        p99_ms: float. Limit of the 99th percentile.
        memory_mb: float. Limit of the server's memory after all requests.
    """

    split: str = ""
    products: int = 32
    requests: int = 100
    tolerance: float = 1e-4
    start_seconds: float = 300.0
    p50_ms: float = 0.0
    p99_ms: float = 0.0
    memory_mb: float = 0.0

    def __post_init__(self) -> None:
        for name in ("products", "requests", "start_seconds"):
            if getattr(self, name) <= 0:
                raise ValueError(
                    f"InfraValidator needs {name} above 0. Received: {getattr(self, name)}."
                )
        for name in ("tolerance", "p50_ms", "p99_ms", "memory_mb"):
            if getattr(self, name) < 0:
                raise ValueError(
                    f"InfraValidator needs {name} of 0 or more. Received: {getattr(self, name)}."
                )


def _reads(parameters: Parameters) -> list[Path]:
    """Returns the code of the server, which is started and so not among what is imported."""
    del parameters
    spec = find_spec("serving")
    assert spec is not None and spec.submodule_search_locations is not None
    (folder,) = spec.submodule_search_locations
    return sorted(Path(folder).rglob("*.py"))


COMPONENT = Component(
    name="InfraValidator",
    package=__package__,
    inputs={"model": Input(MODEL), "examples": Input(EXAMPLES)},
    outputs={"blessing": INFRA_BLESSING},
    parameters=Parameters,
    reads=_reads,
)

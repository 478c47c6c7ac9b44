"""Figures for Prometheus."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache
from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from prometheus_client.registry import Collector

if TYPE_CHECKING:
    from serving.server.models import Models

CONTENT_TYPE = CONTENT_TYPE_LATEST
UNKNOWN = "unknown"
"""Stands for model names that are not served: clients must not make up new series."""
_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)
_ROWS = (1, 2, 4, 8, 16, 32, 64, 128, 256)


class Metrics:
    """Everything that is counted, in a registry of its own."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.requests = Counter(
            "taxofuse_requests",
            "Requests answered.",
            ["model", "protocol", "method", "code"],
            registry=self.registry,
        )
        self.seconds = Histogram(
            "taxofuse_request_seconds",
            "From the header of a request to its answer.",
            ["model", "protocol", "method"],
            buckets=_SECONDS,
            registry=self.registry,
        )
        self.in_flight = Gauge(
            "taxofuse_requests_in_flight", "Requests being answered.", registry=self.registry
        )
        self.batch_rows = Histogram(
            "taxofuse_batch_rows",
            "Rows of each run of the model.",
            ["model", "version", "signature"],
            buckets=_ROWS,
            registry=self.registry,
        )
        self.run_seconds = Histogram(
            "taxofuse_model_run_seconds",
            "Time of each run of the model.",
            ["model", "version", "signature"],
            buckets=_SECONDS,
            registry=self.registry,
        )
        ProcessCollector(registry=self.registry)

    def observe_run(
        self, model: str, version: int, signature: str, rows: int, seconds: float
    ) -> None:
        """Counts one run of a model; called from any thread."""
        observe_rows, observe_seconds = self._find_series(model, str(version), signature)
        observe_rows(rows)
        observe_seconds(seconds)

    @cache  # noqa: B019  as long as the server; looking series up costs more than counting
    def _find_series(self, *labels: str) -> tuple[Callable[[float], None], Callable[[float], None]]:
        return (
            self.batch_rows.labels(*labels).observe,
            self.run_seconds.labels(*labels).observe,
        )

    def watch(self, models: Models) -> None:
        """Adds what is read off the models at each scrape."""
        self.registry.register(_ModelsCollector(models))

    def to_text(self) -> bytes:
        """Returns the page that Prometheus reads."""
        return generate_latest(self.registry)


class _ModelsCollector(Collector):
    def __init__(self, models: Models) -> None:
        self._models = models

    def collect(self) -> Iterator[GaugeMetricFamily]:
        states = GaugeMetricFamily(
            "taxofuse_version_state",
            "1 for the state that a version is in.",
            labels=["model", "version", "state"],
        )
        queued = GaugeMetricFamily(
            "taxofuse_queued_requests",
            "Requests that wait for a free thread.",
            labels=["model", "version", "signature"],
        )
        for name, model in self._models.by_name.items():
            for number, version in sorted(model.versions.items()):
                states.add_metric([name, str(number), version.state.name], 1)
                for signature, batcher in version.batchers.items():
                    queued.add_metric([name, str(number), signature], batcher.queued)
        yield states
        yield queued

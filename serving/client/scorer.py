"""Scores products by a server: what `taxofuse predict --server` asks."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Self

import numpy as np

from serving.client.answer import check_outputs, read_status
from serving.client.client import Client
from serving.client.errors import ServingError
from serving.client.flight import ask_all, in_batches, in_order
from serving.client.products import ProductReader
from serving.client.retry import Retry
from trainer.artefact import ModelCard

_FIRST_SECONDS = 15.0
# A server that is restarted meanwhile is waited for as long as the deadline says.
_PATIENT = Retry(attempts=1000)
Row = Mapping[str, bytes | float]
Scored = tuple[np.ndarray | None, str]


def connect(
    url: str,
    *,
    model: str = "taxofuse",
    version: int | None = None,
    label: str = "",
    deadline: float = 60.0,
    in_flight: int = 4,
) -> ServerScorer:
    """Asks a server for the card of its model.

    Args:
        url: As of `Client`; so are `model`, `version` and `label`.
        deadline: float. Seconds for one batch, in which the server may be
            away; beyond that it is given up.
        in_flight: int. Requests at once.

    Raises:
        ServingError: if it does not answer, or the model has no card.
    """
    client = Client(
        url,
        model=model,
        version=version,
        label=label,
        deadline=min(deadline, _FIRST_SECONDS),
        retry=_PATIENT,
        connections=in_flight,
    )
    try:
        # A wrong address should not take as long to say so as a busy server, but one
        # that is just being started may.
        card = client.card()
    except BaseException:
        client.close()
        raise
    client.deadline = deadline
    return ServerScorer(client, card, in_flight)


class ServerScorer:
    """A scorer in the sense of `trainer.answering.Scorer`.

    A row that could not be scored costs only itself. Once the server has been
    away for the whole of a deadline, the rows that are left are not asked.
    """

    def __init__(self, client: Client, card: ModelCard, in_flight: int) -> None:
        self.card = card
        self._client = client
        self._in_flight = in_flight
        self._reader = ProductReader(self.card.inputs)
        self._class_names = [name.encode() for name in self.card.class_names]
        self._lost: ServingError | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._client.close()

    def score(self, batches: Iterable[Sequence[Row]]) -> Iterator[Sequence[Scored]]:
        """Yields `(probabilities, status)` of the rows of each batch, in order."""
        return in_order(self._score_batch, batches, self._in_flight)

    def _score_batch(self, rows: Sequence[Row]) -> list[Scored]:
        scored: list[Scored] = []
        for some in in_batches(rows, self.card.max_batch):
            if self._lost:
                scored += [(None, f"not asked, after: {self._lost}")] * len(some)
                continue
            for one in ask_all(self._score_rows, some):
                if isinstance(one, ServingError) and one.code == "UNAVAILABLE":
                    self._lost = one
                scored.append((None, str(one)) if isinstance(one, ServingError) else one)
        return scored

    def _score_rows(self, rows: Sequence[Row]) -> list[Scored]:
        raw = self._reader.collect(rows)
        reply = self._client.call("serving_default", raw)
        check_outputs(reply, ("scores", "labels", "status"))
        scores, labels = reply.outputs["scores"], reply.outputs["labels"]
        if len(scores) != len(rows):
            raise ServingError("INTERNAL", f"{len(rows)} rows were asked, {len(scores)} answered")
        if labels[0].tolist() != self._class_names:
            raise ServingError(
                "FAILED_PRECONDITION",
                "the server has changed to a model with other classes. Name a version, or start "
                "again",
            )
        return list(zip(scores, read_status(reply), strict=True))

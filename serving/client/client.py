"""One class for both protocols."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Literal, Self, TypeVar

import numpy as np
from tqdm import tqdm

from serving.client.address import open_transport
from serving.client.answer import (
    Answer,
    Explanation,
    check_outputs,
    not_answered,
    read_answers,
    read_explanation,
)
from serving.client.errors import ServingError
from serving.client.flight import ask_all, in_batches, in_order
from serving.client.products import Product, ProductReader, RawValues
from serving.client.protocol import (
    UNNAMED,
    Metadata,
    ModelName,
    Reply,
    Signature,
    VersionStatus,
)
from serving.client.retry import Retry
from serving.client.tensors import STRING, as_objects
from trainer.artefact import ModelCard
from trainer.inputs import InputSpec

DEFAULT_BATCH = 32
Answered = TypeVar("Answered")


class Client:
    """Asks TensorFlow Serving, or a server that speaks its protocol.

    Safe to use from many threads; connections are kept until `close`, or the
    end of a `with` block.

    Args:
        url: `http://host:8501` for REST, `grpc://host:8500` for gRPC, with an
            `s` for TLS.
        model: str. The model's name on the server.
        version: int. The newest if not given.
        label: str. In place of a version, such as `"stable"`.
        deadline: float. Seconds for one request, all its repetitions included.
        retry: How often and when what is safe to repeat is repeated: a server
            that is not available or says that it has too much to do.
        headers: Sent with every request, such as `Authorization`.
        connections: int. Kept open at most over REST; gRPC needs one.
    """

    def __init__(
        self,
        url: str,
        *,
        model: str = "taxofuse",
        version: int | None = None,
        label: str = "",
        deadline: float = 30.0,
        retry: Retry | None = None,
        headers: Mapping[str, str] | None = None,
        connections: int = 16,
    ) -> None:
        if not deadline > 0:
            raise ValueError(f"`deadline` must be seconds above 0. Received: {deadline}.")
        self.url = url
        self.model = ModelName(model, version, label)
        self.deadline = deadline
        self.retry = retry or Retry()
        self._transport = open_transport(url, connections, headers or {})
        self._lock = threading.Lock()
        self._card: ModelCard | None = None
        self._reader: ProductReader | None = None
        self._signatures: Mapping[str, Signature] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Closes all connections."""
        self._transport.close()

    def predict(self, product: Product) -> Answer:
        """Classifies one product.

        Args:
            product: By input or column: a `Path` to a picture, `bytes`, a
                text, a number. What is not there, or `None`, is absent.

        Raises:
            ServingError: if there is no answer.
            ValueError: for a key or a value that the model cannot take.
            OSError: if a file cannot be read.
        """
        return self._predict_rows([self._find_reader().read(product)])[0]

    def predict_many(
        self,
        products: Iterable[Product],
        *,
        batch: int | None = None,
        in_flight: int = 4,
        on_error: Literal["status", "raise"] = "status",
        progress: bool = True,
    ) -> list[Answer]:
        """Classifies many products.

        Args:
            products: As of `predict`; read, with their files, as they are sent.
            batch: int. Products a request; what the model's card allows, or
                fewer, by default.
            in_flight: int. Requests at once.
            on_error: What becomes of products without an answer: `"status"`
                says it in theirs and goes on, `"raise"` stops at the first.
            progress: bool. Shows a bar on stderr.

        Returns:
            One answer a product, in order.

        Raises:
            ServingError, ValueError, OSError: as `predict`, where asked to.
        """
        if on_error not in ("status", "raise"):
            raise ValueError(f"`on_error` must be 'status' or 'raise'. Received: {on_error!r}.")
        reader = self._find_reader()

        def answer(products: Sequence[Product]) -> list[Answer]:
            rows = [_try(reader.read, product) for product in products]
            sound = [row for row in rows if not isinstance(row, Exception)]
            found = iter(ask_all(self._predict_rows, sound) if sound else [])
            each = [row if isinstance(row, Exception) else next(found) for row in rows]
            for one in each:
                if isinstance(one, Exception) and on_error == "raise":
                    raise one
            return [not_answered(one) if isinstance(one, Exception) else one for one in each]

        answers: list[Answer] = []
        total = len(products) if isinstance(products, Sequence) else None
        with tqdm(desc="Asking", total=total, unit="product", disable=not progress) as bar:
            batches = in_batches(products, self.batch_size(batch))
            for some in in_order(answer, batches, in_flight):
                answers += some
                bar.update(len(some))
        return answers

    def explain(self, product: Product) -> Explanation:
        """Says which regions, words and inputs decided the label of one product.

        Raises:
            ServingError: also if the model was exported without `explain`.
        """
        reader = self._find_reader()
        reply = self.call("explain", reader.collect([reader.read(product)]))
        return read_explanation(reply)

    def features(self, products: Sequence[Product]) -> np.ndarray:
        """Returns the fused embeddings, float array `(products, dim)`, in one request."""
        reader = self._find_reader()
        reply = self.call("features", reader.collect([reader.read(one) for one in products]))
        check_outputs(reply, ("embedding",))
        return reply.outputs["embedding"]

    def status(self) -> list[VersionStatus]:
        """Returns the versions of the model on the server."""
        return self.retry.call(lambda left: self._transport.status(self.model, left), self.deadline)

    def metadata(self) -> Metadata:
        """Returns the model's signatures: names and types of inputs and outputs."""
        return self._repeat(lambda left: self._transport.metadata(self.model, left))

    def health(self) -> str:
        """Returns `"ok"` after a real forward pass of a product without anything.

        Raises:
            ServingError: also if the model was exported without `health`.
        """
        reply = self.call("health", {"probe": as_objects([b""])})
        check_outputs(reply, ("status",))
        return reply.outputs["status"][0].decode("utf-8", "replace")

    def inputs(self) -> tuple[InputSpec, ...]:
        """Returns what the model reads: of its card, or else names and types alone."""
        return self._find_reader().inputs

    def card(self) -> ModelCard:
        """Returns what the model says of itself: inputs, columns, classes; asked for once.

        Raises:
            ServingError: also if the model was exported without `health`.
        """
        if self._card is None:
            if "health" not in self._find_signatures():
                raise ServingError(
                    "FAILED_PRECONDITION",
                    f"the model {self.model.name!r} has no signature `health`, which says what it "
                    "reads: it was exported by another version or program",
                )
            reply = self.call("health", {"probe": as_objects([b""])})
            check_outputs(reply, ("card",))
            self._card = ModelCard.from_dict(json.loads(reply.outputs["card"][0]))
        return self._card

    def call(self, signature: str, inputs: Mapping[str, np.ndarray]) -> Reply:
        """Asks any signature of any model.

        Args:
            signature: str. Its name.
            inputs: Arrays by name; strings as `bytes` in arrays of objects.
        """
        reply = self._repeat(
            lambda left: self._transport.predict(self.model, signature, inputs, left)
        )
        if UNNAMED not in reply.outputs:
            return reply
        [name] = self._find_signatures()[signature].outputs
        return Reply({name: reply.outputs[UNNAMED]}, reply.version)

    def batch_size(self, wanted: int | None) -> int:
        """Returns the products of one request.

        Raises:
            ValueError: for more than the model's card allows.
        """
        self._find_reader()
        limit = self._card.max_batch if self._card else None
        if wanted is None:
            return min(DEFAULT_BATCH, limit or DEFAULT_BATCH)
        if limit and wanted > limit:
            raise ValueError(
                f"`batch` must be at most {limit}, the largest that this model answers. "
                f"Received: {wanted}."
            )
        return wanted

    def _repeat(self, send: Callable[[float], Answered]) -> Answered:
        """Sends until there is an answer; a model that is being loaded is waited for."""

        def attempt(left: float) -> Answered:
            try:
                return send(left)
            except ServingError as error:
                if error.code == "NOT_FOUND" and self._is_loading(left):
                    told = f"the model {self.model.name!r} is being loaded"
                    raise ServingError("UNAVAILABLE", told, is_safe=True) from error
                raise

        return self.retry.call(attempt, self.deadline)

    def _is_loading(self, timeout: float) -> bool:
        """Says whether a server that knows no such model will know it soon."""
        try:
            versions = self._transport.status(self.model, timeout)
        except ServingError:
            return False
        return any(one.state in ("START", "LOADING") for one in versions)

    def _predict_rows(self, rows: Sequence[RawValues]) -> list[Answer]:
        reply = self.call("serving_default", self._find_reader().collect(rows))
        answers = read_answers(reply)
        if len(answers) != len(rows):
            raise ServingError(
                "INTERNAL", f"{len(rows)} products were asked, {len(answers)} answered"
            )
        return answers

    def _find_reader(self) -> ProductReader:
        """Learns from the server what the model reads, once."""
        with self._lock:
            if self._reader is None:
                signatures = self._find_signatures()
                if "health" in signatures:
                    inputs: Sequence[InputSpec] = self.card().inputs
                else:
                    inputs = _inputs_of(signatures)
                self._reader = ProductReader(inputs)
            return self._reader

    def _find_signatures(self) -> Mapping[str, Signature]:
        if self._signatures is None:
            self._signatures = self.metadata().signatures
        return self._signatures


def _inputs_of(signatures: Mapping[str, Signature]) -> list[InputSpec]:
    """Returns the inputs of a model without card: by name alone, strings of any kind."""
    if "serving_default" not in signatures:
        raise ServingError(
            "FAILED_PRECONDITION",
            f"the model has the signatures {sorted(signatures)}, but no serving_default",
        )
    return [
        InputSpec(name, "string" if dtype == STRING else "number", (name,))
        for name, dtype in sorted(signatures["serving_default"].inputs.items())
    ]


def _try(read: Any, product: Product) -> Any:
    try:
        return read(product)
    except (ValueError, OSError) as error:
        return error

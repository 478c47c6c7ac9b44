"""One version of a model, from being found to being gone."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import IntEnum
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from serving.server.batching import Batcher
from serving.server.settings import BatchSettings
from serving.server.signature import Signature
from serving.server.status import Code, ServingError, invalid
from serving.server.workers import Workers

if TYPE_CHECKING:
    from serving.server.loaded_model import LoadedModel

_LOG = logging.getLogger(__name__)


class State(IntEnum):
    """As in TF Serving's ModelVersionStatus."""

    UNKNOWN = 0
    START = 10
    LOADING = 20
    AVAILABLE = 30
    UNLOADING = 40
    END = 50


class Version:
    """A version folder that is, was or will be served.

    Args:
        model_name: str.
        number: int.
        folder: With `saved_model.pb`.
        observe: Called with signature name, rows and seconds of each run.
    """

    def __init__(
        self,
        model_name: str,
        number: int,
        folder: Path,
        observe: Callable[[str, int, float], None] = lambda signature, rows, seconds: None,
    ) -> None:
        self.model_name = model_name
        self.number = number
        self.folder = folder
        self.state = State.START
        self.error: ServingError | None = None
        self.batchers: dict[str, Batcher] = {}
        self._observe = observe
        self._model: LoadedModel | None = None
        self._holders = 0
        self._idle = asyncio.Event()
        self._idle.set()

    @property
    def signature_defs(self) -> dict[str, Any]:
        """Returns the SavedModel's signature definitions by name."""
        assert self._model is not None
        return self._model.signature_defs

    @contextmanager
    def hold(self) -> Iterator[Version]:
        """Keeps the version loaded for as long as a request needs it."""
        self._holders += 1
        self._idle.clear()
        try:
            yield self
        finally:
            self._holders -= 1
            if not self._holders:
                self._idle.set()

    def signature(self, name: str) -> Signature | None:
        """Returns a signature of the loaded version, or None."""
        batcher = self.batchers.get(name or "serving_default")
        return batcher.signature if batcher else None

    async def load(self, workers: Workers, settings: BatchSettings) -> None:
        """Loads and warms up; the state becomes AVAILABLE, or END with an error."""
        self.state = State.LOADING
        started = time.perf_counter()
        try:
            model, max_batch, limits = await asyncio.to_thread(_load, self.folder, settings)
        except Exception as error:
            self.state = State.END
            self.error = _as_serving_error(error)
            _LOG.error("Version %d of %s: %s", self.number, self.model_name, self.error.message)
            return
        self._model = model
        for name, signature in model.signatures.items():
            self.batchers[name] = Batcher(
                signature,
                workers,
                max_batch=max_batch,
                limit=limits[name],
                timeout=settings.timeout,
                queue=settings.queue,
                observe=partial(self._observe, name),
            )
        self.state = State.AVAILABLE
        joined = ", ".join(f"{name} {limit}" for name, limit in sorted(limits.items()))
        _LOG.info(
            "Version %d of %s is available after %.1f s; rows joined: %s; at most %d in a request.",
            self.number,
            self.model_name,
            time.perf_counter() - started,
            joined,
            max_batch,
        )

    async def unload(self) -> None:
        """Waits for the requests that hold the version, then frees it."""
        self.state = State.UNLOADING
        await self._idle.wait()
        self.batchers = {}
        model, self._model = self._model, None
        if model is not None:
            await asyncio.to_thread(model.close)
        self.state = State.END
        _LOG.info("Version %d of %s is unloaded.", self.number, self.model_name)


def _load(folder: Path, settings: BatchSettings) -> tuple[LoadedModel, int, dict[str, int]]:
    from serving.server.loaded_model import LoadedModel
    from serving.server.warmup import measure_limit, warm_up

    model = LoadedModel(folder)
    try:
        max_batch = settings.max_batch or _declared_max_batch(folder)
        warm_up(folder, model.signatures, sorted({1, min(8, max_batch), max_batch}))
        limits = {
            name: settings.limit or measure_limit(signature, max_batch)
            for name, signature in model.signatures.items()
        }
    except BaseException:
        model.close()
        raise
    return model, max_batch, limits


def _declared_max_batch(folder: Path) -> int:
    from trainer.artefact import CARD_FILE, ModelCard

    if (folder / "assets.extra" / CARD_FILE).is_file():
        return ModelCard.load(folder).max_batch
    return 64  # a SavedModel from elsewhere


def _as_serving_error(error: Exception) -> ServingError:
    if isinstance(error, ServingError):
        return error
    code = getattr(error, "error_code", None)  # TensorFlow's own errors bring one
    if code is not None:
        return ServingError(Code(code), str(error))
    if isinstance(error, OSError | ValueError):
        return invalid(f"{type(error).__name__}: {error}")
    return ServingError(Code.INTERNAL, f"{type(error).__name__}: {error}")

"""All models of the server, by name."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

from serving.server.served_model import ServedModel, not_found
from serving.server.settings import BatchSettings, ModelSettings
from serving.server.status import invalid
from serving.server.versions import Version
from serving.server.workers import Workers


class Models:
    """What is served, and what is asked for by name.

    Args:
        batch: For every model.
        workers: That run them.
        observe: Called with model name, version, signature name, rows and
            seconds of each run.
    """

    def __init__(
        self,
        batch: BatchSettings,
        workers: Workers,
        observe: Callable[[str, int, str, int, float], None],
    ) -> None:
        self.by_name: dict[str, ServedModel] = {}
        self._batch = batch
        self._workers = workers
        self._observe = observe

    @property
    def ready(self) -> bool:
        """Says whether every model has every wanted version available."""
        return bool(self.by_name) and all(model.ready for model in self.by_name.values())

    def find(self, name: str, number: int | None = None, label: str | None = None) -> Version:
        """Returns the version that a request is for.

        Raises:
            ServingError: if it is not served.
        """
        if not name:
            raise invalid("ModelSpec has no name specified.")
        model = self.by_name.get(name)
        if model is None:
            if label is not None:
                raise invalid(f"Unrecognized servable version label: {label}")
            raise not_found(name, number)
        return model.find(number, label)

    async def configure(self, settings: Sequence[ModelSettings]) -> None:
        """Serves these models and no others; returns when they are loaded."""
        removed = self.by_name.keys() - {model.name for model in settings}
        for model in settings:
            if model.name in self.by_name:
                self.by_name[model.name].settings = model
            else:
                self.by_name[model.name] = ServedModel(
                    model, self._batch, self._workers, self._observe
                )
        await self.update()
        for name in removed:
            await self.by_name.pop(name).close()

    async def update(self) -> None:
        """Looks into every base folder once."""
        for model in list(self.by_name.values()):
            await model.update()

    async def follow(self, seconds: float) -> None:
        """Looks again and again."""
        while True:
            await asyncio.sleep(seconds)
            await self.update()

    async def close(self) -> None:
        """Unloads everything."""
        for model in self.by_name.values():
            await model.close()

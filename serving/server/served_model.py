"""One model name: the versions that are wanted, found and served."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from serving.server.settings import BatchSettings, ModelSettings
from serving.server.status import Code, ServingError, invalid
from serving.server.versions import State, Version
from serving.server.workers import Workers

_LOG = logging.getLogger(__name__)
_ATTEMPTS = 6
"""Loads of a version before it is given up, as by default in TF Serving. The time between
them doubles: a folder that is still being copied is given a minute."""


@dataclass(frozen=True)
class _Failure:
    """How often a version did not load, and when it may be tried again."""

    times: int
    retry_at: float


class ServedModel:
    """Follows a base folder.

    A new version is loaded before an old one goes, so that there is always one
    to answer.

    Args:
        settings: Name, folder, policy, labels.
        batch: For all its versions.
        workers: That run them.
        observe: Called with model name, version, signature name, rows and
            seconds of each run.
    """

    def __init__(
        self,
        settings: ModelSettings,
        batch: BatchSettings,
        workers: Workers,
        observe: Callable[[str, int, str, int, float], None],
    ) -> None:
        self.settings = settings
        self.versions: dict[int, Version] = {}
        self.latest: Version | None = None
        self._batch = batch
        self._workers = workers
        self._observe = observe
        self._failures: dict[int, _Failure] = {}
        self._busy = asyncio.Lock()
        self._warned = False

    @property
    def ready(self) -> bool:
        """Says whether every wanted version is available, and there is one."""
        wanted = self._find_wanted()
        available = {version.number for version in self.available()}
        return bool(available) and wanted.keys() <= available

    def available(self) -> list[Version]:
        """Returns the versions that answer."""
        return [version for version in self.versions.values() if version.state == State.AVAILABLE]

    def find(self, number: int | None, label: str | None) -> Version:
        """Returns the version that a request is for.

        Raises:
            ServingError: if it is not served; in TF Serving's words.
        """
        name = self.settings.name
        if label is not None:
            number = dict(self.settings.labels).get(label)
            if number is None:
                raise invalid(f"Unrecognized servable version label: {label}")
        version = self.latest if number is None else self.versions.get(number)
        if version is not None and version.state == State.AVAILABLE:
            return version
        loading = [v.number for v in self.versions.values() if v.state < State.AVAILABLE]
        if loading and (number in loading or number is None):
            raise ServingError(
                Code.UNAVAILABLE, f"Version {loading[0]} of {name} is being loaded. Try again."
            )
        raise not_found(name, number)

    async def update(self) -> None:
        """Looks into the folder once, loads what is new and unloads what is not wanted."""
        async with self._busy:
            wanted = await asyncio.to_thread(self._find_wanted)
            if not wanted and self.available():
                if not self._warned:
                    _LOG.warning(
                        "No wanted version of %s in %s: goes on with what is loaded.",
                        self.settings.name,
                        self.settings.base,
                    )
                self._warned = True
                return
            self._warned = False
            # A version that was taken away may come back mended.
            self._failures = {at: self._failures[at] for at in self._failures if at in wanted}
            for number in sorted(wanted, reverse=True):
                await self._load(number, wanted[number])
            if wanted.keys() & {version.number for version in self.available()}:
                await self._unload([v for v in self.available() if v.number not in wanted])

    async def close(self) -> None:
        """Unloads everything."""
        async with self._busy:
            await self._unload(self.available())

    async def _load(self, number: int, folder: Path) -> None:
        known = self.versions.get(number)
        if known is not None and known.state == State.AVAILABLE:
            return
        failure = self._failures.get(number)
        now = asyncio.get_running_loop().time()
        if failure is not None and (failure.times >= _ATTEMPTS or now < failure.retry_at):
            return
        name = self.settings.name
        version = Version(
            name,
            number,
            folder,
            partial(self._observe, name, number),
        )
        self.versions[number] = version
        await version.load(self._workers, self._batch)
        if version.error is None:
            self._failures.pop(number, None)
        else:
            times = failure.times + 1 if failure else 1
            self._failures[number] = _Failure(times, now + 2**times)
        self._choose_latest()

    async def _unload(self, versions: list[Version]) -> None:
        for version in versions:
            version.state = State.UNLOADING
        self._choose_latest()
        for version in versions:
            await version.unload()

    def _choose_latest(self) -> None:
        self.latest = max(self.available(), key=lambda version: version.number, default=None)

    def _find_wanted(self) -> dict[int, Path]:
        found = find_versions(self.settings.base)
        chosen = self.settings.policy.choose(list(found))
        return {number: found[number] for number in chosen}


def find_versions(base: Path) -> dict[int, Path]:
    """Returns the version folders below a base folder, by number.

    A version folder given as the base is its own only version.
    """
    if (base / "saved_model.pb").is_file():
        return {int(base.name) if base.name.isdigit() else 1: base}
    try:
        children = list(base.iterdir())
    except OSError:  # gone, or not yet there
        return {}
    return {
        int(child.name): child
        for child in children
        if child.name.isdigit() and (child / "saved_model.pb").is_file()
    }


def not_found(name: str, number: int | None) -> ServingError:
    """Returns the error of a model or version that is not served."""
    what = f"Latest({name})" if number is None else f"Specific({name}, {number})"
    return ServingError(Code.NOT_FOUND, f"Servable not found for request: {what}")

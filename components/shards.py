"""Work in shards: one contract, whoever does it.

A job has specs, one a shard, and a function of a module

    def function(spec: dict, shared: dict) -> accumulator

that does the work of one. Spec and `shared`, which is the same for all, are JSON-able; so is
the accumulator, or it is bytes. The function may be called twice for a shard, also at once on
two machines, and killed at any moment: it writes the same files each time, by `attempt`. What
costs to load, such as a model, it keeps for the next shard of its process (`functools.cache`).

What a shard has returned is noted in a folder, which all who work must see under the same path.
So nothing is done twice when an interrupted job is begun again, nothing depends on the order in
which shards are done, and an engine has nothing to hand back.
"""

from __future__ import annotations

import abc
import importlib
import json
import os
import threading
import time
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from trainer.progress import progress_bar
from trainer.registry import Registry

ENGINES = Registry("engine", "components.engines")
VARIABLE = "TAXOFUSE_ENGINE"
"""Environment variable with the engine's name and, behind a colon, what it is told. It is no
parameter of a component, because what is made does not depend on it."""

_PATIENCE = 90.0
"""Seconds; clients of NFS look again after 60 at the latest."""

Accumulator = Any
Function = Callable[[dict[str, Any], dict[str, Any]], Accumulator]


@dataclass(frozen=True)
class Job:
    """Shards to be done.

    Args:
        function: `module:name`.
        specs: One a shard.
        shared: What is the same for all.
        notes: Folder of what the shards have returned.
    """

    function: str
    specs: Sequence[Mapping[str, Any]]
    shared: Mapping[str, Any]
    notes: Path

    def do(self, index: int) -> None:
        """Does a shard, if it is not done yet."""
        do_shard(self.function, index, self.specs[index], self.shared, self.notes)


class Engine(abc.ABC):
    """Who does the shards; a member of `ENGINES`.

    Args:
        told: What stands behind the engine's name and a colon.
    """

    @abc.abstractmethod
    def __init__(self, told: str) -> None: ...

    @abc.abstractmethod
    def run(self, job: Job, waiting: Sequence[int]) -> None:
        """Does the shards `waiting`, in any order and anywhere, by `do_shard` or `Job.do`."""


def find_engine(text: str = "") -> Engine:
    """Returns an engine by its name, `local`, or its name and more, `beam:dask:tcp://host:8786`.

    Args:
        text: By default what `VARIABLE` says, or `local`.

    Raises:
        ValueError: if there is no such engine, or what it is told makes no sense.
    """
    name, _, told = (text or os.environ.get(VARIABLE) or "local").partition(":")
    engine: Engine = ENGINES.get(name)(told)
    return engine


def is_local() -> bool:
    """Says whether shards are done in this process, one after the other."""
    return (os.environ.get(VARIABLE) or "local").partition(":")[0] == "local"


def run_shards(
    title: str,
    function: Function,
    specs: Sequence[Mapping[str, Any]],
    shared: Mapping[str, Any],
    notes: Path,
    engine: Engine | None = None,
) -> Iterator[Accumulator]:
    """Does a job and returns what its shards have returned, in the order of the specs.

    Args:
        title: For people.
        function: Of a module, so that other processes can import it.
        specs: One a shard.
        shared: What is the same for all.
        notes: Folder of this job alone. Shards noted there are not done again.
        engine: By default the one that the environment names.

    Raises:
        ValueError: as the function, whose `FileNotFoundError` is one, too.
    """
    job = Job(f"{function.__module__}:{function.__qualname__}", specs, shared, notes)
    if not function.__qualname__.isidentifier() or _find(job.function) is not function:
        raise ValueError(f"Other processes must be able to import it. Received: {function}.")
    notes.mkdir(parents=True, exist_ok=True)
    for path in notes.glob("*.error"):
        path.unlink()
    waiting = [index for index in range(len(specs)) if _noted(notes, index) is None]
    with _watched(title, notes, len(specs)):
        try:
            (engine or find_engine()).run(job, waiting)
        except Exception as error:
            for path in sorted(notes.glob("*.error")):
                raise ValueError(path.read_text(encoding="utf-8")) from error
            raise
    if missing := _wait_for_notes(notes, len(specs)):
        raise RuntimeError(f"{title}: shard {missing[0]} of {len(specs)} was not done.")
    return (_read(notes, index) for index in range(len(specs)))


def do_shard(
    function: str,
    index: int,
    spec: Mapping[str, Any],
    shared: Mapping[str, Any],
    notes: Path,
) -> None:
    """Does a shard of a job, if it is not done yet, and notes what it returns."""
    if _noted(notes, index) is not None:
        return
    try:
        returned = _find(function)(dict(spec), dict(shared))
    except (ValueError, FileNotFoundError) as error:
        # Engines wrap what is raised on their workers.
        (notes / f"{index:06d}.error").write_text(str(error), encoding="utf-8")
        raise
    is_bytes = isinstance(returned, bytes)
    content = returned if is_bytes else json.dumps(returned, ensure_ascii=False).encode()
    with attempt(notes / f"{index:06d}.{'bytes' if is_bytes else 'json'}") as path:
        path.write_bytes(content)


@contextmanager
def attempt(path: Path) -> Iterator[Path]:
    """Yields a path of nobody else's, for a file that is renamed to `path` at the end.

    Unlike `trainer.files.new_file`, it is for several processes that write the same file.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".attempt-{uuid.uuid4().hex}-{path.name}")
    try:
        yield temporary
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def _find(name: str) -> Function:
    module, _, function = name.partition(":")
    found: Function = getattr(importlib.import_module(module), function)
    return found


def _is_note(path: Path) -> bool:
    return path.name[0] != "." and path.suffix in (".json", ".bytes")


def _noted(notes: Path, index: int) -> Path | None:
    found = (notes / f"{index:06d}.json", notes / f"{index:06d}.bytes")
    return next((path for path in found if path.is_file()), None)


def _wait_for_notes(notes: Path, total: int) -> list[int]:
    """Returns the shards without a note, once network file systems have had time to show it."""
    deadline = time.monotonic() + _PATIENCE
    while missing := [index for index in range(total) if _noted(notes, index) is None]:
        if time.monotonic() > deadline:
            break
        time.sleep(0.5)
    return missing


def _read(notes: Path, index: int) -> Accumulator:
    path = _noted(notes, index)
    assert path is not None
    content = path.read_bytes()
    return content if path.suffix == ".bytes" else json.loads(content)


@contextmanager
def _watched(title: str, notes: Path, total: int) -> Iterator[None]:
    """Shows how many shards are noted, wherever they are done."""
    ended = threading.Event()

    def watch() -> None:
        with progress_bar(title, total, "shard") as bar:
            while True:
                last = ended.wait(0.5)
                noted = [path for path in notes.iterdir() if _is_note(path)]
                bar.update(len(noted) - bar.n)
                if last:
                    return

    thread = threading.Thread(target=watch, daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()

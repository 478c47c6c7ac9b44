"""What was made, by what, from what: ML Metadata's concepts in one SQLite file.

Artifacts and executions are joined by events, and executions belong to contexts, the runs of a
pipeline. A step that was found in the cache adds one row to a run, not an execution.
"""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from components.artifact import Artifact

FILE = "metadata.sqlite"
_FORMAT = 2
# Whole configurations are parameters, and mostly the same ones: each text is there once.
_TABLES = """
CREATE TABLE texts (id INTEGER PRIMARY KEY, text TEXT NOT NULL);
CREATE TABLE executions (
    id INTEGER PRIMARY KEY, node TEXT NOT NULL, component TEXT NOT NULL, state TEXT NOT NULL,
    cache_key TEXT NOT NULL, parameters INTEGER NOT NULL REFERENCES texts, code TEXT NOT NULL,
    read TEXT NOT NULL, started REAL NOT NULL, ended REAL, error TEXT NOT NULL DEFAULT '');
CREATE VIEW told AS SELECT executions.id, node, component, state, cache_key, text, code, read,
    started, ended, error FROM executions JOIN texts ON texts.id = parameters;
CREATE INDEX executions_by_key ON executions (cache_key);
CREATE TABLE artifacts (
    id INTEGER PRIMARY KEY, type TEXT NOT NULL, uri TEXT NOT NULL, state TEXT NOT NULL,
    fingerprint TEXT NOT NULL, properties TEXT NOT NULL, created REAL NOT NULL);
CREATE TABLE events (
    execution INTEGER NOT NULL REFERENCES executions,
    artifact INTEGER NOT NULL REFERENCES artifacts,
    kind TEXT NOT NULL, name TEXT NOT NULL, PRIMARY KEY (execution, kind, name)) WITHOUT ROWID;
CREATE INDEX events_by_artifact ON events (artifact);
CREATE TABLE contexts (
    id INTEGER PRIMARY KEY, type TEXT NOT NULL, name TEXT NOT NULL, created REAL NOT NULL,
    properties TEXT NOT NULL);
CREATE TABLE associations (
    context INTEGER NOT NULL REFERENCES contexts, execution INTEGER NOT NULL REFERENCES executions,
    cached INTEGER NOT NULL, PRIMARY KEY (context, execution)) WITHOUT ROWID;
"""


class State(StrEnum):
    """Of an execution, as in ML Metadata."""

    RUNNING = "RUNNING"
    COMPLETE = "COMPLETE"
    FAILED = "FAILED"
    CANCELED = "CANCELED"


class EventKind(StrEnum):
    """How an execution met an artifact."""

    INPUT = "INPUT"
    OUTPUT = "OUTPUT"


LIVE, DELETED = "LIVE", "DELETED"
_LONGEST_ERROR = 2000
_WAL_PAGES = 64
"""Of 4 kB, that wait beside the file to be written into it; SQLite's own limit is 4 MB."""


@dataclass(frozen=True)
class Execution:
    """One time that a step was done.

    Args:
        id: int.
        node: str. Name of the step.
        component: str.
        state: State.
        cache_key: Hash of code, inputs and parameters.
        parameters: As JSON.
        code: Fingerprint of the executor's source.
        read: Fingerprint of the files that it read beside its inputs.
        started: Seconds since 1970.
        ended: The same; `None` while it runs.
        error: Why it failed.
    """

    id: int
    node: str
    component: str
    state: State
    cache_key: str
    parameters: str
    code: str
    read: str
    started: float
    ended: float | None
    error: str


@dataclass(frozen=True)
class Context:
    """A run of a pipeline.

    Args:
        id: int.
        name: str. Of the pipeline.
        created: Seconds since 1970.
        properties: Such as the span.
    """

    id: int
    name: str
    created: float
    properties: Mapping[str, Any]


class Metadata:
    """The store. One process writes at a time; others may read meanwhile.

    Args:
        path: Of the SQLite file; made where it is not there.

    Raises:
        ValueError: if the file is of another format.
    """

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._root = path.parent
        self._db = sqlite3.connect(path, isolation_level=None, timeout=30)
        try:
            self._open(path)
        except BaseException as error:
            self._db.close()
            if isinstance(error, sqlite3.DatabaseError):
                raise ValueError(f"The metadata cannot be opened: {path} ({error})") from error
            raise

    def close(self) -> None:
        """Closes the file."""
        self._db.close()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All that is noted within stands, or nothing."""
        self._db.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._db.execute("ROLLBACK")
            raise
        self._db.execute("COMMIT")

    def begin_run(self, pipeline: str, properties: Mapping[str, Any]) -> int:
        """Notes a run of a pipeline; returns its context."""
        return self._insert(
            "contexts",
            type="pipeline_run",
            name=pipeline,
            created=time.time(),
            properties=json.dumps(properties),
        )

    def begin_execution(
        self,
        run: int,
        node: str,
        component: str,
        cache_key: str,
        parameters: str,
        code: str,
        read: str,
        inputs: Mapping[str, Artifact],
    ) -> int:
        """Notes that a step begins; returns the id of its execution."""
        with self.transaction():
            execution = self._insert(
                "executions",
                node=node,
                component=component,
                state=State.RUNNING,
                cache_key=cache_key,
                parameters=self._note_text(parameters),
                code=code,
                read=read,
                started=time.time(),
            )
            self._insert("associations", context=run, execution=execution, cached=0)
            for name, artifact in inputs.items():
                self._note_event(execution, artifact.id, EventKind.INPUT, name)
        return execution

    def complete(self, execution: int, outputs: Mapping[str, Artifact]) -> dict[str, Artifact]:
        """Notes that a step is done; returns its artifacts with their ids."""
        noted: dict[str, Artifact] = {}
        with self.transaction():
            for name, artifact in outputs.items():
                number = self._insert(
                    "artifacts",
                    type=artifact.type,
                    uri=self._to_relative(artifact.uri),
                    state=LIVE,
                    fingerprint=artifact.fingerprint,
                    properties=json.dumps(dict(artifact.properties)),
                    created=time.time(),
                )
                self._note_event(execution, number, EventKind.OUTPUT, name)
                noted[name] = Artifact(
                    artifact.type, artifact.uri, artifact.fingerprint, artifact.properties, number
                )
            self._end(execution, State.COMPLETE)
        return noted

    def fail(self, execution: int, error: str) -> None:
        """Notes that a step failed, and why, as far as a page of text tells it."""
        self._end(execution, State.FAILED, error[:_LONGEST_ERROR])

    def cancel_running(self) -> list[Execution]:
        """Notes that what was under way will never end; returns it."""
        left = self.executions(State.RUNNING)
        for execution in left:
            self._end(execution.id, State.CANCELED, "the runner ended before the step did")
        return left

    def find_cached(self, cache_key: str) -> Execution | None:
        """Returns the last execution of a key whose artifacts are all still there."""
        rows = self._db.execute(
            "SELECT * FROM told WHERE cache_key = ? AND state = ? ORDER BY id DESC",
            (cache_key, State.COMPLETE),
        )
        for row in rows.fetchall():
            execution = _to_execution(row)
            outputs = self.outputs(execution.id)
            if outputs and all(artifact.uri.is_dir() for artifact in outputs.values()):
                return execution
        return None

    def reuse(self, run: int, execution: int) -> None:
        """Notes that a run found a step done already."""
        self._db.execute(
            "INSERT OR IGNORE INTO associations (context, execution, cached) VALUES (?, ?, 1)",
            (run, execution),
        )

    def outputs(self, execution: int, *, live: bool = True) -> dict[str, Artifact]:
        """Returns what an execution made; if it has to be live, only where all of it is."""
        return self._artifacts_of(execution, EventKind.OUTPUT, live)

    def inputs(self, execution: int) -> dict[str, Artifact]:
        """Returns what an execution read."""
        return self._artifacts_of(execution, EventKind.INPUT, False)

    def execution(self, number: int) -> Execution:
        """Returns an execution by its id."""
        row = self._db.execute("SELECT * FROM told WHERE id = ?", (number,)).fetchone()
        return _to_execution(row)

    def executions(self, state: State | None = None, node: str = "") -> list[Execution]:
        """Returns executions in the order in which they began."""
        rows = self._db.execute(
            "SELECT * FROM told WHERE (? IS NULL OR state = ?) AND (? = '' OR node = ?)"
            " ORDER BY id",
            (state, state, node, node),
        )
        return [_to_execution(row) for row in rows]

    def runs(self) -> list[Context]:
        """Returns the runs, the oldest first."""
        rows = self._db.execute(
            "SELECT id, name, created, properties FROM contexts"
            " WHERE type = 'pipeline_run' ORDER BY id"
        )
        return [Context(row[0], row[1], row[2], json.loads(row[3])) for row in rows]

    def executions_of(self, run: int) -> list[tuple[Execution, bool]]:
        """Returns the executions of a run, and of each whether it was found in the cache."""
        rows = self._db.execute(
            "SELECT told.*, cached FROM associations JOIN told ON execution = id"
            " WHERE context = ? ORDER BY id",
            (run,),
        )
        return [(_to_execution(row[:-1]), bool(row[-1])) for row in rows]

    def runs_of(self, execution: int) -> list[int]:
        """Returns the runs that an execution belongs to."""
        rows = self._db.execute(
            "SELECT context FROM associations WHERE execution = ? ORDER BY context", (execution,)
        )
        return [number for (number,) in rows]

    def maker(self, artifact: int) -> Execution | None:
        """Returns the execution that made an artifact."""
        row = self._db.execute(
            "SELECT told.* FROM told JOIN events ON execution = told.id"
            " WHERE artifact = ? AND kind = ?",
            (artifact, EventKind.OUTPUT),
        ).fetchone()
        return None if row is None else _to_execution(row)

    def artifacts(self, *, live: bool = True) -> list[Artifact]:
        """Returns all artifacts, the oldest first."""
        rows = self._db.execute(
            "SELECT id, type, uri, fingerprint, properties FROM artifacts"
            " WHERE state = ? OR NOT ? ORDER BY id",
            (LIVE, live),
        )
        return [self._to_artifact(row) for row in rows]

    def delete_outputs(self, execution: int) -> None:
        """Notes that the folders which an execution made go; what is known of them stays."""
        self._db.execute(
            "UPDATE artifacts SET state = ? WHERE id IN"
            " (SELECT artifact FROM events WHERE execution = ? AND kind = ?)",
            (DELETED, execution, EventKind.OUTPUT),
        )

    def _open(self, path: Path) -> None:
        self._db.execute("PRAGMA journal_mode = WAL")
        # A kill loses nothing; a power cut the last notes, as it may what they tell of.
        self._db.execute("PRAGMA synchronous = NORMAL")
        self._db.execute(f"PRAGMA wal_autocheckpoint = {_WAL_PAGES}")
        self._db.execute("PRAGMA foreign_keys = ON")
        (found,) = self._db.execute("PRAGMA user_version").fetchone()
        if not found:
            with self.transaction():
                for statement in _TABLES.split(";"):
                    self._db.execute(statement)
                self._db.execute(f"PRAGMA user_version = {_FORMAT}")
        elif found != _FORMAT:
            raise ValueError(
                f"The metadata have format {found}; this program reads {_FORMAT}: {path}. "
                "Start in another folder."
            )

    def _insert(self, table: str, **values: Any) -> int:
        names, marks = ", ".join(values), ", ".join("?" * len(values))
        cursor = self._db.execute(
            f"INSERT INTO {table} ({names}) VALUES ({marks})", tuple(values.values())
        )
        return cursor.lastrowid or 0

    def _note_text(self, text: str) -> int:
        row = self._db.execute("SELECT id FROM texts WHERE text = ?", (text,)).fetchone()
        return row[0] if row else self._insert("texts", text=text)

    def _note_event(self, execution: int, artifact: int, kind: EventKind, name: str) -> None:
        self._insert("events", execution=execution, artifact=artifact, kind=kind, name=name)

    def _end(self, execution: int, state: State, error: str = "") -> None:
        self._db.execute(
            "UPDATE executions SET state = ?, ended = ?, error = ? WHERE id = ?",
            (state, time.time(), error, execution),
        )

    def _artifacts_of(self, execution: int, kind: EventKind, live: bool) -> dict[str, Artifact]:
        rows = self._db.execute(
            "SELECT events.name, artifacts.id, type, uri, fingerprint, properties, state"
            " FROM events JOIN artifacts ON artifact = artifacts.id"
            " WHERE execution = ? AND kind = ?",
            (execution, kind),
        ).fetchall()
        if live and any(row[-1] != LIVE for row in rows):
            return {}
        return {row[0]: self._to_artifact(row[1:-1]) for row in rows}

    def _to_relative(self, uri: Path) -> str:
        """Returns a place below the folder of the file, which may be moved with it."""
        return str(uri.relative_to(self._root) if uri.is_relative_to(self._root) else uri)

    def _to_artifact(self, row: tuple) -> Artifact:
        number, type_name, uri, digest, properties = row
        return Artifact(type_name, self._root / uri, digest, json.loads(properties), number)


def _to_execution(row: tuple) -> Execution:
    return Execution(row[0], row[1], row[2], State(row[3]), *row[4:])

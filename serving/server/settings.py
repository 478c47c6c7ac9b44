"""What the embedded server is told at its start."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path

MEGABYTE = 1 << 20


def count_cores() -> int:
    """Returns how many cores this process may use."""
    if hasattr(os, "sched_getaffinity"):  # a container may be given fewer than there are
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


@dataclass(frozen=True)
class VersionPolicy:
    """Which versions of a base folder are wanted.

    Args:
        latest: int. The newest that many; 0 to go by `specific`, or else all.
        specific: Version numbers.
    """

    latest: int = 1
    specific: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        if self.latest < 0:
            raise ValueError(f"The newest N versions: at least 1. Received: {self.latest}.")
        if self.latest and self.specific:
            raise ValueError(
                "Versions are chosen by their number or by being the newest, not both. "
                f"Received: latest={self.latest}, specific={list(self.specific)}."
            )

    def choose(self, versions: list[int]) -> set[int]:
        """Returns the wanted ones of those that are there."""
        if self.specific:
            return set(self.specific) & set(versions)
        return set(sorted(versions)[-self.latest :])


@dataclass(frozen=True)
class ModelSettings:
    """One model under one name.

    Args:
        name: str. As it stands in requests.
        base: Folder of numbered versions, or one version folder.
        policy: Which of them are served.
        labels: Version number by label, such as `stable` and `canary`.
    """

    name: str
    base: Path
    policy: VersionPolicy = VersionPolicy()
    labels: tuple[tuple[str, int], ...] = ()


@dataclass(frozen=True)
class BatchSettings:
    """How requests for one signature of one version are run together.

    Args:
        max_batch: int. Largest request, in rows; 0 for what the model's card says, or 64.
        limit: int. Rows that requests are joined up to; 0 to measure it while warming up.
        timeout: float. Seconds that a batch short of `limit` waits for more.
        queue: int. Batches that may wait; requests beyond are refused. 0 for as many as
            are answered within a few runs of the model; see `Batcher`.
    """

    max_batch: int = 0
    limit: int = 0
    timeout: float = 0.0
    queue: int = 0

    def __post_init__(self) -> None:
        if min(self.max_batch, self.limit, self.timeout, self.queue) < 0:
            raise ValueError(f"Batch sizes, times and queues are not negative. Received: {self}.")


@dataclass(frozen=True)
class Limits:
    """What one client may ask for.

    Args:
        body: int. Bytes of a request, also once decompressed.
        bodies: int. Bytes of all requests that are being read or answered over REST.
        deadline: float. Seconds for an answer where the client names none.
        header_seconds: float. From the first byte of a request to the end of its header.
        body_seconds: float. To read its body.
        idle_seconds: float. Between two requests of one connection.
        rpcs: int. gRPC calls under way.
    """

    body: int = 64 * MEGABYTE
    bodies: int = 512 * MEGABYTE
    deadline: float = 30.0
    header_seconds: float = 10.0
    body_seconds: float = 30.0
    idle_seconds: float = 75.0
    rpcs: int = 4096

    def __post_init__(self) -> None:
        for name, value in vars(self).items():
            if value <= 0:
                raise ValueError(f"The limit `{name}` must be above 0. Received: {value}.")


@dataclass(frozen=True)
class ServerSettings:
    """Everything.

    Args:
        models: What is served.
        host: str. Address to listen on; only this machine by default.
        rest_port: int. 0 lets the system choose.
        grpc_port: int. 0 lets the system choose.
        threads: int. Batches that run at the same time.
        poll: float. Seconds between looks into the base folders.
        drain: float. Seconds that requests have to end in after SIGTERM.
        access_log: `-` for stderr, a file, or empty for none.
    """

    models: tuple[ModelSettings, ...]
    host: str = "127.0.0.1"
    rest_port: int = 8501
    grpc_port: int = 8500
    threads: int = field(default_factory=count_cores)
    poll: float = 1.0
    drain: float = 30.0
    access_log: str = "-"
    batch: BatchSettings = BatchSettings()
    limits: Limits = Limits()

    def __post_init__(self) -> None:
        if self.threads < 1:
            raise ValueError(f"--threads must be at least 1. Received: {self.threads}.")
        if self.poll <= 0 or self.drain <= 0:
            raise ValueError(
                f"--poll and --drain are seconds above 0. Received: {self.poll}, {self.drain}."
            )
        for port in (self.rest_port, self.grpc_port):
            if not 0 <= port < 65536:
                raise ValueError(f"A port lies between 0 and 65535. Received: {port}.")
        if self.rest_port and self.rest_port == self.grpc_port:
            raise ValueError(f"REST and gRPC need a port each. Received: {self.rest_port} twice.")

"""CPU and memory of the server, where it runs on this machine."""

from __future__ import annotations

import ipaddress
import socket
import threading
from dataclasses import dataclass, field
from typing import Self
from urllib.parse import urlsplit

import psutil

_SECONDS = 0.25


class NotWatched(Exception):
    """Says why a server's process cannot be watched."""


def find_process(url: str, pid: int | None = None) -> psutil.Process:
    """Finds the server's process.

    Args:
        url: Its address.
        pid: The process's number, if it is known.

    Raises:
        ValueError: if there is no process of that number.
        NotWatched: if none was given, and the address is not of this machine
            or its port not that of a process that can be seen.
    """
    if pid is not None:
        try:
            return psutil.Process(pid)
        except psutil.NoSuchProcess as error:
            raise ValueError(f"There is no process {pid}, which --pid names.") from error
    parts = urlsplit(url)
    if not _is_loopback(parts.hostname or ""):
        raise NotWatched(f"{parts.hostname} is not this machine; --pid names a process of it")
    try:
        listening = {
            connection.pid
            for connection in psutil.net_connections("tcp")
            if connection.status == psutil.CONN_LISTEN
            and connection.laddr
            and connection.laddr.port == parts.port
        }
    except psutil.AccessDenied as error:
        raise NotWatched("this system does not let one see whose port it is; give --pid") from error
    if len(listening) != 1 or None in listening:
        raise NotWatched(f"the process of port {parts.port} cannot be seen; give --pid")
    return psutil.Process(listening.pop())


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(socket.gethostbyname(host)).is_loopback
    except OSError:
        return False


@dataclass
class Watch:
    """Samples a process and its children while a `with` block runs.

    Args:
        process: The server's.
        cpu: float. Seconds that they took meanwhile.
        memory: Bytes that they held, at each sample.
    """

    process: psutil.Process
    cpu: float = 0.0
    memory: list[int] = field(default_factory=list)
    _stopped: threading.Event = field(default_factory=threading.Event)

    def __enter__(self) -> Self:
        self._before = self._cpu_seconds()
        self._sample()
        self._thread = threading.Thread(target=self._watch, name="watch", daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopped.set()
        self._thread.join()
        self._sample()
        # A server that was started anew meanwhile is another process.
        self.cpu = max(0.0, self._cpu_seconds() - self._before)

    def _watch(self) -> None:
        while not self._stopped.wait(_SECONDS):
            self._sample()

    def _family(self) -> list[psutil.Process]:
        try:
            return [self.process, *self.process.children(recursive=True)]
        except psutil.NoSuchProcess:
            return []

    def _sample(self) -> None:
        held = 0
        for one in self._family():
            try:
                held += one.memory_info().rss
            except psutil.NoSuchProcess:
                continue
        if held:
            self.memory.append(held)

    def _cpu_seconds(self) -> float:
        total = 0.0
        for one in self._family():
            try:
                times = one.cpu_times()
            except psutil.NoSuchProcess:
                continue
            total += times.user + times.system
        return total

"""Fingerprints of files, folders and code by what is in them."""

from __future__ import annotations

import ast
import functools
import hashlib
import importlib.metadata
import importlib.util
import os
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Protocol

_PACKAGES = ("components", "trainer", "serving")
_LIBRARIES = (
    "keras",
    "keras-hub",
    "numpy",
    "pillow",
    "scikit-learn",
    "tensorflow",
    "tensorflow-text",
)
# Whoever imports this module may come to use any part of its package: members are found by name.
_OPEN = "trainer.registry"


class KnownHashes(Protocol):
    """Hashes of files that were read before, by path, size and time."""

    def get(self, path: Path, state: str) -> str | None:
        """Returns the hash of a file that has not changed since, or None."""

    def put(self, path: Path, state: str, digest: str) -> None:
        """Notes a hash."""


def fingerprint(paths: Iterable[Path], known: KnownHashes | None = None) -> str:
    """Hashes files, and folders by the names and contents of what is in them.

    Args:
        paths: Where a path does not exist, that is part of the fingerprint too.
        known: Spares files that have not changed the reading.

    Returns:
        32 hexadecimal digits. The same for the same contents at other places.
    """
    digest = hashlib.sha256()
    for path in paths:
        try:
            _add(digest, path, known)
        except OSError as error:  # the step that reads it says so
            digest.update(f"unreadable {error.errno}".encode())
        digest.update(b"|")
    return digest.hexdigest()[:32]


def _add(digest: Any, path: Path, known: KnownHashes | None) -> None:
    if not path.is_dir():
        digest.update((_hash_file(path, known) if path.is_file() else "absent").encode())
        return
    for file in sorted(found for found in path.rglob("*") if found.is_file()):
        name = os.fsencode(file.relative_to(path).as_posix())
        digest.update(b"%d:%b" % (len(name), name))
        digest.update(_hash_file(file, known).encode())


@functools.cache
def fingerprint_code(module: str) -> str:
    """Hashes the source of a module and of all of the project that it imports.

    A module that looks members up by name depends on the whole of their package. Templates
    beside a module count, and the versions of the libraries whose arithmetic decides results.

    Args:
        module: str. Full name.
    """
    seen: dict[str, Path] = {}
    waiting = [module]
    while waiting:
        name = waiting.pop()
        path = _find_source(name) if name == module or name.split(".")[0] in _PACKAGES else None
        if name in seen or path is None:
            continue
        seen[name] = path
        waiting += _imports(path)
        if name == _OPEN:
            package = name.split(".")[0]
            waiting += _modules_of(package)
    digest = hashlib.sha256()
    for name in sorted(seen):
        digest.update(name.encode() + b"\0" + seen[name].read_bytes())
    for path in sorted({file for of in seen.values() for file in of.parent.glob("templates/*")}):
        digest.update(path.name.encode() + b"\0" + path.read_bytes())
    digest.update(_versions().encode())
    return digest.hexdigest()[:32]


def combine(parts: Mapping[str, str]) -> str:
    """Hashes named fingerprints into one."""
    return hashlib.sha256(repr(sorted(parts.items())).encode()).hexdigest()[:32]


def _hash_file(path: Path, known: KnownHashes | None) -> str:
    status = path.stat()
    state = f"{status.st_size}:{status.st_mtime_ns}:{status.st_ino}"
    digest = known.get(path, state) if known else None
    if digest is None:
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        if known:
            known.put(path, state, digest)
    return digest


@functools.cache
def _versions() -> str:
    from trainer.weights.packages import PACKAGES  # loads NumPy

    found = []
    for name in (*_LIBRARIES, *(package.distribution for package in PACKAGES.values())):
        with suppress(importlib.metadata.PackageNotFoundError):
            found.append(f"{name} {importlib.metadata.version(name)}")
    return ", ".join(found)


@functools.cache
def _find_source(name: str) -> Path | None:
    """Returns the file of a module, without importing it; None for a name in a module."""
    package, *parts = name.split(".")
    spec = importlib.util.find_spec(package)
    if spec is None or spec.origin is None:
        return None
    path = Path(spec.origin).parent.joinpath(*parts) if parts else Path(spec.origin)
    return next(
        (
            found
            for found in (path, path.with_suffix(".py"), path / "__init__.py")
            if found.is_file()
        ),
        None,
    )


def _modules_of(package: str) -> list[str]:
    source = _find_source(package)
    assert source is not None
    root = source.parent
    return [
        ".".join((package, *path.relative_to(root).with_suffix("").parts))
        for path in root.rglob("*.py")
        if path.name != "__init__.py"
    ]


@functools.cache
def _imports(path: Path) -> list[str]:
    found: list[str] = []
    for node in ast.walk(ast.parse(path.read_bytes())):
        if isinstance(node, ast.Import):
            found += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            found += [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
    return [name for name in found if name.split(".")[0] in _PACKAGES]

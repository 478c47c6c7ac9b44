"""The encoders of the device: one member, one file, no list to edit."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable
from typing import TypeVar

from serving.edge.encoders.encoder import Encoder

Member = TypeVar("Member", bound=type[Encoder])

_PACKAGE = "serving.edge.encoders"
_members: dict[str, type[Encoder]] = {}


def register(name: str) -> Callable[[Member], Member]:
    """Returns a decorator that registers a class as what the trainer calls `name`."""

    def add(member: Member) -> Member:
        known = _members.get(name)
        # Reloading a module registers the same member again; two files must not share a name.
        if known is not None and known.__module__ != member.__module__:
            raise ValueError(
                f"Two encoders are named {name!r}: {known.__module__} and {member.__module__}."
            )
        _members[name] = member
        return member

    return add


def encoder_names() -> list[str]:
    """Returns the names of all encoders that the device has, sorted."""
    package = importlib.import_module(_PACKAGE)
    for module in pkgutil.iter_modules(package.__path__, prefix=f"{_PACKAGE}."):
        importlib.import_module(module.name)
    return sorted(_members)


def find_encoder(name: str) -> type[Encoder]:
    """Returns the class of an encoder.

    Raises:
        ValueError: if the device has none of that name; the message lists those there are.
    """
    names = encoder_names()
    if name not in _members:
        raise ValueError(f"Unknown encoder. Expected one of {names}. Received: {name!r}.")
    return _members[name]

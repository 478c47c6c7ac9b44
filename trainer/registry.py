"""Registries of interchangeable parts: one member, one file, no list to edit."""

from __future__ import annotations

import difflib
import importlib
import inspect
import pkgutil
from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeVar

Member = TypeVar("Member")


def unknown(what: str, name: object, expected: Iterable[str]) -> str:
    """Returns the message for a name that is not one of `expected`."""
    names = sorted(expected)
    message = f"Unknown {what}. Expected one of {names}. Received: {name!r}."
    close = difflib.get_close_matches(str(name), names, n=1)
    return f"{message} Did you mean {close[0]!r}?" if close else message


class Registry:
    """Finds the members that the modules of one package register.

    Args:
        kind: str. What a member is, for messages, such as `"fusion"`.
        package: str. Package whose modules are imported at the first look-up.
    """

    def __init__(self, kind: str, package: str) -> None:
        self.kind = kind
        self.package = package
        self._members: dict[str, Any] = {}
        self._imported: set[str] = set()

    def register(self, name: str) -> Callable[[Member], Member]:
        """Returns a decorator that registers a class or function as `name`."""

        def add(member: Member) -> Member:
            known = self._members.get(name)
            # Reloading a module registers the same member again; two files must not share a name.
            if known is not None and known.__module__ != getattr(member, "__module__", None):
                raise ValueError(
                    f"Two {self.kind} members are named {name!r}: "
                    f"{known.__module__} and {getattr(member, '__module__', member)}."
                )
            self._members[name] = member
            return member

        return add

    def names(self) -> list[str]:
        """Returns the names of all members, sorted."""
        self._import_members()
        return sorted(self._members)

    def get(self, name: str) -> Any:
        """Returns the member called `name`.

        Raises:
            ValueError: if there is none; the message lists those there are.
        """
        self._import_members()
        if name not in self._members:
            raise ValueError(unknown(self.kind, name, self._members))
        return self._members[name]

    def make(self, name: str, options: Mapping[str, Any], /, *, at: str = "", **fixed: Any) -> Any:
        """Makes the member called `name`.

        Args:
            name: str.
            options: Its arguments, as they were configured.
            at: str. Where they were configured, for messages.
            fixed: Its other arguments.

        Raises:
            ValueError: if there is no such member or option; the message lists
                those there are.
        """
        member = self.get(name)
        known = [
            key
            for key, parameter in inspect.signature(member).parameters.items()
            if parameter.kind is not parameter.VAR_KEYWORD and key not in fixed
        ]
        place = at or f"{self.kind} {name!r}"
        if not isinstance(options, Mapping):
            raise ValueError(f"Options of {place} must be a mapping. Received: {options!r}.")
        for key in options:
            if key not in known:
                raise ValueError(unknown(f"option of {place}", key, known))
        return member(**fixed, **options)

    def _import_members(self) -> None:
        package = importlib.import_module(self.package)
        for module in pkgutil.iter_modules(package.__path__, prefix=f"{self.package}."):
            if module.name not in self._imported:
                importlib.import_module(module.name)
                self._imported.add(module.name)


MODALITIES = Registry("modality", "trainer.modalities")
ENCODERS = Registry("encoder", "trainer.encoders")
FUSIONS = Registry("fusion", "trainer.fusion")
LOSSES = Registry("loss", "trainer.losses")
OBJECTIVES = Registry("objective", "trainer.objectives")
SELECTIONS = Registry("selection strategy", "trainer.selection")
TRACKERS = Registry("tracker", "trainer.tracking")
AUGMENTATIONS = Registry("augmentation", "trainer.augmentations")
TUNING = Registry("tuning method", "trainer.tuning")
QUANTIZERS = Registry("quantizer", "trainer.quantization")
REGULARIZERS = Registry("regularizer", "trainer.regularization")
ATTACKS = Registry("attack", "trainer.attacks")
EDITS = Registry("edit", "trainer.edits")

"""A folder of numbered versions, as model servers watch it: the highest is live.

What a server could take for a version is there whole or not at all. All else in the folder
has names that are no numbers.
"""

from __future__ import annotations

import fcntl
import json
import shutil
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path

from components.content import fingerprint
from components.links import link_tree
from trainer.files import write_json

_LAST = "saved_model.pb"
"""Servers read it as "ready"."""
_NEW, _OLD = ".push-", ".removed-"
_LOCK, _WITHDRAWN = ".push.lock", ".withdrawn.json"


class Versions:
    """The versions below a folder.

    Args:
        folder: Made when something is pushed.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def numbers(self) -> list[int]:
        """Returns the numbers of whole versions, the highest last."""
        return sorted(of for of in self._taken() if (self.path(of) / _LAST).is_file())

    def live(self) -> int:
        """Returns the number that servers answer with, 0 where there is none."""
        return max(self.numbers(), default=0)

    def path(self, number: int) -> Path:
        """Returns where a version stands."""
        return self.folder / str(number)

    def content(self, number: int) -> str:
        """Returns the fingerprint of what a version holds, `""` of none."""
        return fingerprint([self.path(number)]) if number in self.numbers() else ""

    def next_number(self) -> int:
        """Returns the lowest number above all that are taken, also by what is no version."""
        return max(self._taken(), default=0) + 1

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Waits for others who push here, and clears what killed ones left."""
        self.folder.mkdir(parents=True, exist_ok=True)
        with (self.folder / _LOCK).open("w") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            for path in [*self.folder.glob(f"{_NEW}*"), *self.folder.glob(f"{_OLD}*")]:
                shutil.rmtree(path)
            yield

    def push(self, source: Path) -> int:
        """Makes a folder the live version; returns its number.

        Within `locked`. What is live already is not pushed twice, so that a push which was
        killed before it was noted can be done again.
        """
        live = self.live()
        if live and fingerprint([source]) == self.content(live):
            return live
        number = self.next_number()
        temporary = self.folder / f"{_NEW}{number}"
        copy_version(source, temporary)
        temporary.rename(self.path(number))
        return number

    def retire(self, keep: int, pinned: Collection[int] = ()) -> list[int]:
        """Removes old versions; returns their numbers.

        Within `locked`. The live version stays, and the one that a roll-back would go to.

        Args:
            keep: int. How many of the newest stay.
            pinned: Numbers that stay beside these.
        """
        stay = {*self.numbers()[-keep:], *pinned, self.before()}
        old = [number for number in self.numbers() if number not in stay]
        for number in old:
            # Under another name first: nobody finds half a version.
            away = self.folder / f"{_OLD}{number}"
            self.path(number).rename(away)
            shutil.rmtree(away)
        return old

    def before(self) -> int:
        """Returns the newest version that is another model than the live one and was not
        withdrawn, 0 where there is none."""
        numbers = self.numbers()
        if len(numbers) < 2:
            return 0
        passed = {self.content(numbers[-1]), *self.withdrawn()}
        return next((of for of in reversed(numbers) if self.content(of) not in passed), 0)

    def withdrawn(self) -> list[str]:
        """Returns fingerprints of the models that were live and were rolled back."""
        path = self.folder / _WITHDRAWN
        return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else []

    def withdraw(self, content: str) -> None:
        """Notes that a model was rolled back, so that no pipeline pushes it again."""
        write_json(self.folder / _WITHDRAWN, sorted({*self.withdrawn(), content}))

    def readmit(self, content: str) -> None:
        """Forgets that a model was rolled back."""
        if content in (known := self.withdrawn()):
            write_json(self.folder / _WITHDRAWN, [other for other in known if other != content])

    def _taken(self) -> list[int]:
        children = self.folder.iterdir() if self.folder.is_dir() else ()
        return [int(path.name) for path in children if path.name.isdecimal()]


def copy_version(source: Path, target: Path) -> None:
    """Makes a folder with the files of another, `saved_model.pb` the last."""
    files = sorted(path for path in source.rglob("*") if path.is_file())
    for path in sorted(files, key=lambda path: path == source / _LAST):
        link_tree(path, target / path.relative_to(source))


def find_sizes(folder: Path) -> dict[str, int]:
    """Returns the bytes of each file of a folder, by its name there."""
    return {
        path.relative_to(folder).as_posix(): path.stat().st_size
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }

"""Writes the examples of one part."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from components.examples import Example, write_shard
from components.parts import read_part
from components.shards import attempt


def write_examples(spec: dict[str, Any], shared: dict[str, Any]) -> dict[str, int]:
    """Writes a shard of each split that a part has rows of.

    Args:
        spec: `part`; `folder` of its pictures; `letters` of its rows' splits; `shards`, the
            files to write by letter.
        shared: `kinds` of the columns.

    Returns:
        Rows with problems by letter.
    """
    problems: dict[str, int] = {}

    def count(example: Example, letter: str) -> Example:
        problems[letter] += bool(example.problems)
        return example

    for letter, shard in spec["shards"].items():
        wanted = [of == letter for of in spec["letters"]]
        found = read_part(Path(spec["part"]), shared["kinds"], Path(spec["folder"]), wanted)
        problems[letter] = 0
        with attempt(Path(shard)) as path:
            written = write_shard(path, (count(example, letter) for example in found))
        if written != sum(wanted):
            raise RuntimeError(f"{sum(wanted)} rows of {spec['part']} are {written} in {shard}.")
    return problems

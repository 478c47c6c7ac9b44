"""Writes the examples of a table."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from components.example_gen.component import Parameters
from components.example_gen.make_plan import make_plan
from components.example_gen.plan import LETTERS, Plan
from components.example_gen.write_part_examples import write_examples
from components.examples import ExamplesInfo, shard_path
from components.links import link_tree
from components.shards import run_shards


def execute(
    inputs: Mapping[str, Path | None],
    outputs: Mapping[str, Path],
    parameters: Parameters,
    scratch: Path,
) -> dict[str, dict[str, Any]]:
    """Writes `Split-*` of the table; see `components.component`."""
    plan = Plan.read(scratch)
    if plan is None:
        plan = make_plan(parameters, scratch, lambda line: print(line, file=sys.stderr))
        plan.write(scratch)
    folder, made = outputs["examples"], scratch / "examples"
    shards = {
        split: sum(letter in part.letters for part in plan.parts)
        for split, letter in LETTERS.items()
        if split
    }
    specs, paths = _specs(plan, shards, made)
    problems: Counter[str] = Counter()
    shared = {"kinds": plan.kinds}
    for found in run_shards("Writing the examples", write_examples, specs, shared, made / "notes"):
        problems.update(found)
    for path in paths:
        link_tree(path, folder / path.relative_to(made))
    rows = plan.rows
    ExamplesInfo(
        columns=plan.columns,
        label=parameters.label,
        shards=shards,
        rows=rows,
        problems={split: problems[letter] for split, letter in LETTERS.items() if split},
        span=parameters.span,
        # Parts of earlier spans come last.
        rehearsed=sum(LETTERS["train"] in part.letters for part in plan.parts if part.again),
        notes=plan.notes,
    ).write(folder)
    return {"examples": {"span": parameters.span, "rows": rows, **_facts(plan.notes)}}


def _specs(
    plan: Plan, shards: Mapping[str, int], folder: Path
) -> tuple[list[dict[str, Any]], list[Path]]:
    """Returns a spec for each part, and the files that all of them write."""
    specs: list[dict[str, Any]] = []
    paths: list[Path] = []
    counts: Counter[str] = Counter()
    for part in plan.parts:
        own: dict[str, str] = {}
        for split in shards:
            if LETTERS[split] in part.letters:
                path = shard_path(folder, split, counts[split], shards[split])
                counts[split] += 1
                own[LETTERS[split]] = str(path)
                paths.append(path)
        if own:
            spec = {"part": part.path, "folder": part.folder, "letters": part.letters}
            specs.append({**spec, "shards": own})
    return specs, paths


def _facts(notes: Mapping[str, Any]) -> dict[str, Any]:
    return {name: notes[name] for name in ("corrections", "rehearsed") if name in notes}

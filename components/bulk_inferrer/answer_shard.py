"""Answers the products of one shard."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd

from components.examples import Example
from components.parts import read_part
from components.shard_answers import answer_examples, load_predictor, read_asked
from components.shards import attempt
from trainer.artefact import ModelCard


def answer_shard(spec: dict[str, Any], shared: dict[str, Any]) -> dict[str, int]:
    """Writes the answers to a shard of examples or a part of a table, in its order.

    Args:
        spec: `shard` of examples, or `part` and `folder`, which `components.parts` reads;
            `out`, the Parquet file to write.
        shared: `model` and `content`, as `load_predictor`; `kinds` of the columns that the
            products have; `batch_size`; `sure`.

    Returns:
        `rows`, and `problems`, how many of them are not `ok`.
    """
    predictor = load_predictor(shared["model"], shared["content"])
    level_names = predictor.card.level_names
    examples = _read(spec, shared, predictor.card)
    answered = answer_examples(predictor, examples, shared["kinds"], shared["batch_size"])
    frames = [answers.to_frame(level_names, shared["sure"]) for _, answers in answered]
    frame = pd.concat(frames, ignore_index=True)
    with attempt(Path(spec["out"])) as path:
        frame.to_parquet(path, index=False)
    return {"rows": len(frame), "problems": int((frame["status"] != "ok").sum())}


def _read(spec: dict[str, Any], shared: dict[str, Any], card: ModelCard) -> Iterator[Example]:
    if "part" in spec:
        return read_part(Path(spec["part"]), shared["kinds"], Path(spec["folder"]))
    return read_asked(Path(spec["shard"]), card)

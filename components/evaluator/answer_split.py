"""What a model answers to a split of examples, shard by shard."""

from __future__ import annotations

import hashlib
import io
from pathlib import Path
from typing import Any

import numpy as np

from components.examples import ExamplesInfo, shard_paths
from components.shard_answers import (
    answer_examples,
    describe_model,
    find_kinds,
    load_predictor,
    read_asked,
)
from components.shards import run_shards
from trainer.answers import Answers
from trainer.artefact import ModelCard, find_export


def answer_split(model: Path, examples: Path, split: str, scratch: Path) -> Answers:
    """Answers a split, in the order of `components.examples.read_table`.

    Args:
        model: Folder of an export.
        examples: Artifact.
        split: Its name.
        scratch: Folder; what was answered there is not answered again.
    """
    card = ModelCard.load(find_export(model))
    asked = repr([str(model), str(examples), split])
    notes = scratch / hashlib.sha256(asked.encode()).hexdigest()[:16]
    specs = [{"shard": str(path)} for path in shard_paths(examples, split)]
    kinds = find_kinds(card, ExamplesInfo.read(examples).kinds)
    shared = {**describe_model(model), "kinds": kinds}
    told = run_shards("Answering", answer_shard, specs, shared, notes)
    arrays = [np.load(io.BytesIO(content), allow_pickle=False) for content in told]
    found = {name: np.concatenate([of[name] for of in arrays]) for name in arrays[0]}
    return Answers(
        ids=found["ids"].tolist(),
        class_names=list(card.class_names),
        scores=found["scores"],
        present={spec.name: found[f"present {spec.name}"] for spec in card.inputs},
        status=found["status"].tolist(),
    ).take(np.argsort(found["rows"], kind="stable"))


def answer_shard(spec: dict[str, Any], shared: dict[str, Any]) -> bytes:
    """Answers the products of one shard.

    Args:
        spec: `shard` of examples.
        shared: `model` and `content`, as `load_predictor`; `kinds` of the columns.

    Returns:
        The arrays of the answers, with `ids`, `status` and `rows`, as an NPZ file.
    """
    predictor = load_predictor(shared["model"], shared["content"])
    examples = read_asked(Path(spec["shard"]), predictor.card)
    found = list(answer_examples(predictor, examples, shared["kinds"]))
    arrays: dict[str, Any] = {
        "ids": np.array([name for _, answers in found for name in answers.ids], str),
        "status": np.array([line for _, answers in found for line in answers.status], str),
        "rows": np.array([example.row for some, _ in found for example in some], np.int64),
        "scores": np.concatenate([answers.scores for _, answers in found]),
    }
    for name in found[0][1].present:
        arrays[f"present {name}"] = np.concatenate([own.present[name] for _, own in found])
    file = io.BytesIO()
    np.savez(file, **arrays)
    return file.getvalue()

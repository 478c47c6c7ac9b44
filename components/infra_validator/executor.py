"""Starts a server with the candidate, asks it, and compares with the model itself."""

from __future__ import annotations

import sys
import time
import traceback
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from components.blessing import write_blessing
from components.examples import ExamplesInfo, read_table
from components.infra_validator.cases import Case, Row, compare, encode, find_cases
from components.infra_validator.component import Parameters
from components.infra_validator.server import CandidateServer, ServerError
from trainer.data.examples import read_examples, row_ids
from trainer.files import write_json
from trainer.predictor import Predictor

FILE = "infra.json"


def execute(
    inputs: Mapping[str, Path | None],
    outputs: Mapping[str, Path],
    parameters: Parameters,
    scratch: Path,
) -> dict[str, Any]:
    """Writes `BLESSED` or `NOT_BLESSED`, and why into `infra.json`.

    Returns:
        What was measured. It differs from time to time, and so stands in no file.
    """
    folder, model, examples = outputs["blessing"], inputs["model"], inputs["examples"]
    assert model is not None and examples is not None
    predictor = Predictor(model)
    ids, rows = _read_products(predictor, examples, parameters)
    cases = find_cases(
        predictor.card.inputs, ids, rows, min(parameters.products, predictor.card.max_batch)
    )
    reasons, figures = _validate(predictor, cases, parameters, scratch / "server.log")
    told = {"products": len(rows), "cases": sorted({case.name for case in cases})}
    write_json(folder / FILE, {"reasons": reasons, **told, "parameters": asdict(parameters)})
    write_blessing(folder, not reasons)
    for reason in reasons:
        print(f"Not blessed: {reason}", file=sys.stderr)
    return {"blessing": {"blessed": not reasons, **figures}}


def _read_products(
    predictor: Predictor, examples: Path, parameters: Parameters
) -> tuple[list[str], list[Row]]:
    splits = [parameters.split] if parameters.split else ExamplesInfo.read(examples).split_names
    table = read_table(examples, splits[:1], parameters.products)
    if not len(table.frame):
        raise ValueError(
            f"There are no products to ask a server with in {parameters.split or 'any split'}."
        )
    ids = row_ids(table)
    return ids, [row.values for row in read_examples(table, predictor.card.inputs, ids)]


def _validate(
    predictor: Predictor, cases: Sequence[Case], parameters: Parameters, log: Path
) -> tuple[list[str], dict[str, float]]:
    """Returns why the model is refused, nothing where it is not, and what was measured."""
    try:
        # Before the server starts, or the two would slow each other down.
        direct = [_answer(predictor, case.rows) for case in cases]
    except Exception as error:
        traceback.print_exc()
        return [f"the model itself does not answer: {type(error).__name__}"], {}
    server = CandidateServer(predictor.folder, log, parameters.start_seconds)
    try:
        with server:
            return _ask(server, predictor, cases, direct, parameters)
    except ServerError as error:
        print(log.read_text(errors="replace")[-3000:], file=sys.stderr)
        return [f"the server: {error}"], {}


def _answer(predictor: Predictor, rows: Sequence[Row]) -> list[dict[str, Any]]:
    outputs = predictor.call(rows, "serving_default")
    labels, states = ([text.decode() for text in outputs[of].numpy()] for of in ("label", "status"))
    scores = outputs["scores"].numpy().tolist()
    return [
        {"label": label, "status": status, "scores": own}
        for label, status, own in zip(labels, states, scores, strict=True)
    ]


def _ask(
    server: CandidateServer,
    predictor: Predictor,
    cases: Sequence[Case],
    direct: Sequence[list[dict[str, Any]]],
    parameters: Parameters,
) -> tuple[list[str], dict[str, float]]:
    specs = predictor.card.inputs
    reasons: list[str] = []
    largest = 0.0
    for case, expected in zip(cases, direct, strict=True):
        try:
            served = server.predict([encode(row, specs) for row in case.rows])
        except ServerError as error:
            reasons.append(f"{case.name}: {error}")
            continue
        wrong, difference = compare(case, served, expected, parameters.tolerance)
        reasons += wrong
        largest = max(largest, difference)
    instances = [
        encode(row, specs) for case in cases if case.name == "products" for row in case.rows
    ]
    p50, p99 = _time(server, instances, parameters.requests)
    figures = {"start_seconds": round(server.start_seconds, 2), "max_difference": largest}
    figures |= {"p50_ms": round(p50, 2), "p99_ms": round(p99, 2)}
    figures["memory_mb"] = round(server.memory_mb(), 1)
    for name in ("p50_ms", "p99_ms", "memory_mb"):
        limit = getattr(parameters, name)
        if limit and figures[name] > limit:
            # Without the figure, which differs from time to time.
            reasons.append(f"{name} is above its limit of {limit:g}")
    return reasons, figures


def _time(
    server: CandidateServer, instances: Sequence[Mapping[str, Any]], requests: int
) -> tuple[float, float]:
    """Returns median and 99th percentile of the milliseconds that one product takes."""
    import numpy as np

    seconds = []
    for at in range(requests):
        began = time.monotonic()
        server.predict([instances[at % len(instances)]])
        seconds.append(time.monotonic() - began)
    p50, p99 = np.percentile(seconds, [50, 99]) * 1000
    return float(p50), float(p99)

"""A folder to copy to a device: networks, preprocessing, the program, a certificate."""

from __future__ import annotations

import dataclasses
import hashlib
import importlib.util
import json
import shutil
from collections import ChainMap
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np

from trainer.artefact import ModelCard, find_export
from trainer.certificate import (
    DeviceNetwork,
    Tensors,
    Thresholds,
    compare,
    find_breaches,
    measure_latency,
)
from trainer.config import Config
from trainer.data.examples import read_examples, row_ids
from trainer.data.labels import join_label, read_labels
from trainer.data.seen_rows import digest_rows, was_trained_on
from trainer.data.table import Table
from trainer.device_graph import check_finite, convert, with_logits
from trainer.files import new_folder, remove_folder, write_json
from trainer.input_pipeline import write_examples
from trainer.layers.perturbation import Point
from trainer.mixed_precision import Budget, find_precision
from trainer.preprocessing import Branch, preprocess, raw_values
from trainer.quantization.calibrated import Calibrated
from trainer.quantization.quantizer import Quantizer
from trainer.quantized_training import find_device_points, train_quantized, write_lessons
from trainer.registry import QUANTIZERS
from trainer.report.sensitivity_page import write_sensitivity_page
from trainer.saved_network import load_branches, load_network

EDGE_FILE, CERTIFICATE_FILE = "edge.json", "certificate.json"
SENSITIVITY_FILE, SENSITIVITY_PAGE = "sensitivity.json", "sensitivity.html"
_RUNTIME = "serving.edge"
_CACHE = Path("cache", "quantized")
_BATCH_SIZE = 16
_NUM_TIMED = 30


def export_for_devices(
    workdir: Path,
    table: Table,
    out: Path,
    quantizers: Mapping[str, Mapping[str, Any]],
    *,
    num_rows: int = 256,
    thresholds: Thresholds | None = None,
    keep_float: str = "",
    budget: Budget | None = None,
    accept: bool = False,
    open_batch: bool = False,
    seed: int = 0,
) -> dict[str, Any]:
    """Writes a network for devices, once for each quantizer.

    Args:
        workdir: Of `taxofuse run` or `taxofuse train`.
        table: Products to find ranges of values on and to compare answers on;
            with the label columns, accuracies are compared, too.
        out: Folder, which appears whole or not at all.
        quantizers: Registered quantizer to its options, the one to be used first.
        num_rows: int. Of the table at most so many are drawn: half of them for
            the ranges, half to compare, if possible such as the network has not
            learned from. A quantizer that trains learns from all that are not
            compared.
        thresholds: What a file must keep.
        keep_float: Regular expression of the paths of layers that no quantizer
            with ranges rounds.
        budget: Measures what each block costs, on the rows for the ranges, and
            leaves in float what the budget asks for; `None` measures nothing.
        accept: bool. Writes files that do not keep it, too.
        open_batch: bool. Files take any number of products at a time, for programs
            of one's own; by default one.
        seed: int. Of what is drawn.

    Returns:
        What `certificate.json` holds.

    Raises:
        FileNotFoundError: if the workdir has no network; an export alone has none.
        ValueError: for an unknown quantizer, a layer that cannot be quantized,
            too few rows, weights that are no numbers, or a file below the thresholds.
    """
    members = _make_members(quantizers, keep_float, budget)
    export = find_export(workdir)
    card = ModelCard.load(export)
    scorer, state = load_network(workdir)
    check_finite(scorer)
    seen, kept, num_learned_from = _draw_rows(export, card, table, num_rows, seed)
    batches = list(_read_tensors(state, card, table, seen, _BATCH_SIZE))
    rows = list(_read_tensors(state, card, table, kept, 1))
    class_ids = _read_class_ids(card, table, kept)
    float_logits = _run(with_logits(scorer), rows)
    sensitivity = None
    if budget is not None:
        network = with_logits(load_network(workdir)[0])
        first = next(of for of in members.values() if of.calibrates)
        sensitivity = find_precision(
            network,
            _only(network, batches),
            _read_class_ids(card, table, seen),
            first,
            budget,
            keep_float,
        )
        members = _make_members(quantizers, sensitivity["keep_float"], budget)
    rows = _shorten(state, card, rows)
    devices: dict[str, DeviceNetwork] = {}
    variants: dict[str, Any] = {}
    for name, quantizer in members.items():
        scorer = load_network(workdir)[0]
        network = with_logits(scorer)
        branches = load_branches(state, card.inputs)
        points = find_device_points(scorer, branches) if quantizer.epochs else []
        quantizer.prepare(network, _only(network, batches) if quantizer.calibrates else [])
        if quantizer.epochs:
            others = np.setdiff1d(np.arange(len(table.frame)), kept)
            part = Table(table.frame.iloc[others], table.folder)
            _train(workdir, network, quantizer, branches, part, points, seen)
        prepared_logits = _run(network, rows) if quantizer.calibrates else float_logits
        devices[name] = DeviceNetwork(convert(network, quantizer, None if open_batch else 1))
        rows = [{key: row[key] for key in network.input} for row in rows]
        variants[name] = compare(devices[name], rows, float_logits, prepared_logits, class_ids)
        if isinstance(quantizer, Calibrated) and quantizer.attached:
            variants[name]["in_float"] = list(quantizer.attached.in_float)
    for name, milliseconds in measure_latency(devices, rows[:_NUM_TIMED]).items():
        variants[name]["milliseconds"] = milliseconds
    certificate = {
        "run": card.run,
        "num_calibrated": len(seen),
        # Of those that were compared: what the network has learned from flatters it.
        "num_learned_from": num_learned_from,
        "variants": variants,
    }
    breaches = {
        name: found
        for name, of in variants.items()
        if (found := find_breaches(of, thresholds or Thresholds()))
    }
    if breaches and not accept:
        remove_folder(workdir / _CACHE)
        told = "; ".join(f"{name} {', '.join(of)}" for name, of in breaches.items())
        raise ValueError(
            f"Nothing was written: {told}. Choose another quantizer, or --max-loss, which leaves "
            "some of the network in float, or --accept it as it is."
        )
    _write(out, card, state, devices, certificate, sensitivity)
    remove_folder(workdir / _CACHE)
    return certificate


def _draw_rows(
    export: Path, card: ModelCard, table: Table, num_rows: int, seed: int
) -> tuple[np.ndarray, np.ndarray, int]:
    """Returns the rows to find ranges on; those to compare; and how many of these are known."""
    if num_rows < 2:
        raise ValueError(f"At least 2 rows must be drawn. Received: {num_rows} (--rows).")
    drawn = np.random.default_rng(seed).permutation(len(table.frame))[:num_rows]
    if len(drawn) < 2:
        raise ValueError(f"At least 2 rows are needed. Received: {len(table.frame)}.")
    known = was_trained_on(export, Table(table.frame.iloc[drawn], table.folder), card.inputs)
    order = np.argsort(~known, kind="stable")
    half = len(drawn) // 2
    seen, kept = drawn[order[:half]], drawn[order[half:]]
    return np.sort(seen), np.sort(kept), int(known[order[half:]].sum())


def _train(
    workdir: Path,
    network: keras.Model,
    quantizer: Quantizer,
    branches: Sequence[Branch],
    table: Table,
    points: Sequence[Point],
    seen: np.ndarray,
) -> None:
    """Trains on all products of a table; what an earlier call has done is not done again."""
    config = Config.from_dict(json.loads((workdir / "config.json").read_text("utf-8")))
    scorer = load_network(workdir)[0]
    card = ModelCard.load(find_export(workdir))
    rows = digest_rows(table, card.inputs)
    cache = workdir / _CACHE / _hash(card.run, rows.tolist())
    if not (cache / "examples").is_dir():
        write_examples(table, card.inputs, cache / "examples")
    source = (cache / "examples", np.arange(len(rows)))
    write_lessons(scorer, branches, [source], cache / "lessons")
    train_quantized(
        network,
        quantizer,
        cache / "lessons",
        config.train,
        folder=cache / _hash(vars(quantizer), seen.tolist(), dataclasses.asdict(config.train)),
        points=points,
        logs=workdir / "logs" / "quantized",
    )


def _hash(*values: Any) -> str:
    text = json.dumps(values, sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _make_members(
    quantizers: Mapping[str, Mapping[str, Any]], keep_float: str, budget: Budget | None
) -> dict[str, Quantizer]:
    """Returns the quantizers, of which those with ranges leave some layers in float."""
    with_ranges = [name for name in quantizers if QUANTIZERS.get(name).calibrates]
    if not with_ranges and (keep_float or budget is not None):
        raise ValueError(
            "Only what finds ranges of values has a sensitivity, or leaves layers in float. "
            f"Add full_integer to --quantize. Received: {list(quantizers)}."
        )
    kept = {"keep_float": keep_float} if keep_float else {}
    return {
        name: QUANTIZERS.make(name, {**options, **(kept if name in with_ranges else {})})
        for name, options in quantizers.items()
    }


def _write(
    out: Path,
    card: ModelCard,
    state: Mapping[str, Any],
    devices: Mapping[str, DeviceNetwork],
    certificate: Mapping[str, Any],
    sensitivity: Mapping[str, Any] | None,
) -> None:
    files = {name: f"model-{name}.tflite" for name in devices}
    with new_folder(out) as temporary:
        for name, device in devices.items():
            (temporary / files[name]).write_bytes(device.content)
        found = certificate["variants"]
        variants = {
            name: {"file": of, "sha256": found[name]["sha256"]} for name, of in files.items()
        }
        told = card.to_dict()
        described = {key: told[key] for key in ("run", "class_names", "level_names", "rules")}
        branches = state["branches"]
        write_json(temporary / EDGE_FILE, {**described, "variants": variants, "branches": branches})
        write_json(temporary / CERTIFICATE_FILE, certificate)
        if sensitivity is not None:
            write_json(temporary / SENSITIVITY_FILE, sensitivity)
            write_sensitivity_page(temporary / SENSITIVITY_PAGE, card.run, sensitivity)
        _copy_runtime(temporary)


def _copy_runtime(folder: Path) -> None:
    """Copies the program of the device, which this package must not import."""
    spec = importlib.util.find_spec(_RUNTIME)
    if spec is None or spec.origin is None:
        raise FileNotFoundError(f"The package {_RUNTIME} is not installed. Install taxofuse whole.")
    source = Path(spec.origin).parent
    target = folder.joinpath(*_RUNTIME.split("."))
    shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
    (target.parent / "__init__.py").touch()


def _read_tensors(
    state: Mapping[str, Any], card: ModelCard, table: Table, rows: np.ndarray, batch_size: int
) -> Iterator[Tensors]:
    branches = load_branches(state, card.inputs)
    part = Table(table.frame.iloc[rows], table.folder)
    values = [of.values for of in read_examples(part, card.inputs, row_ids(part))]
    for start in range(0, len(values), batch_size):
        raw = raw_values(card.inputs, values[start : start + batch_size])
        yield {name: of.numpy() for name, of in preprocess(branches, raw).items()}


def _shorten(state: Mapping[str, Any], card: ModelCard, rows: Sequence[Tensors]) -> list[Tensors]:
    """Returns what the device's program gives to the network."""
    encoders = [branch.encoder for branch in load_branches(state, card.inputs)]
    short = [[encoder.shorten(row) for encoder in encoders] for row in rows]
    return [{**row, **dict(ChainMap(*own))} for row, own in zip(rows, short, strict=True)]


def _only(network: keras.Model, batches: Sequence[Tensors]) -> list[Tensors]:
    """Returns what the network reads of each batch."""
    if missing := sorted(set(network.input) - set(batches[0])):
        raise ValueError(
            f"The network reads {missing}, which its preprocessing does not make: the files of "
            "the workdir are not of one run. Train again."
        )
    return [{name: of[name] for name in network.input} for of in batches]


def _run(network: keras.Model, rows: Sequence[Tensors]) -> np.ndarray:
    found = [network(of, training=False)["logits"].numpy() for of in _only(network, rows)]
    return np.concatenate(found)


def _read_class_ids(card: ModelCard, table: Table, rows: np.ndarray) -> np.ndarray:
    """Returns the class of each row, -1 where it is not known."""
    if not set(card.label) <= set(table.frame.columns):
        return np.full(len(rows), -1)
    known = {name: class_id for class_id, name in enumerate(card.class_names)}
    paths = read_labels(table, list(card.label), card.label_separator or None)
    labels = ["" if paths[row] is None else join_label(paths[row]) for row in rows]
    return np.array([known.get(label, -1) for label in labels])

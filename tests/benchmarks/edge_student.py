"""A student for devices beside the teacher whose answers it learned, on the same folds.

    python tests/benchmarks/edge_student.py --data products.csv --label category \
        --ignore subcategory,category_path --workdir runs/student --out student.json

Of each fold teacher and student have seen as little. The first students are exported,
and answer their fold on the runtime of devices, from JPEG and text to label; ranges of
values are those of training rows. The float graph that they are measured against is
BERT-base with 128 tokens and ResNet50 with 224 pixels, of random weights, without its
preprocessing. All times are CPU times on one thread. Exit status 1: a bar is missed.
"""

from __future__ import annotations

import argparse
import dataclasses
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf
from cross_validation import (
    NUM_FOLDS,
    accuracy_and_f1,
    build_config,
    build_parser,
    draw_folds,
    fit_fold,
    paired_difference,
    shown_interval,
)
from table import print_table, write_figures

from serving.edge.classifier import Classifier
from trainer.config import Config
from trainer.edge_export import export_for_devices
from trainer.encoders.bert import BertEncoder
from trainer.encoders.resnet50 import ResNet50Encoder
from trainer.input_pipeline import read_values
from trainer.network import Network
from trainer.overrides import apply_overrides
from trainer.run import Run

VARIANTS = ("dynamic_range", "full_integer")
BYTES_BAR, ACCURACY_BAR, MS_BAR, TIMES_BAR, AGREEMENT_BAR = 25_000_000, 0.01, 15.0, 25.0, 0.97
_NUM_CALIBRATED, _NUM_TIMED = 128, 12

Ids = dict[str, np.ndarray]


def main() -> int:
    """Measures, prints a table, and writes JSON where asked to."""
    parser = build_parser(__doc__)
    parser.set_defaults(config="edge_student")
    parser.add_argument("--teacher", default="default", help="its configuration")
    parser.add_argument("--exports", type=int, default=NUM_FOLDS, help="of how many folds")
    parser.add_argument("--workdir", type=Path, help="folder to go on in when interrupted")
    args = parser.parse_args()
    tf.config.threading.set_intra_op_parallelism_threads(1)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    with tempfile.TemporaryDirectory() as temporary:
        workdir = args.workdir or Path(temporary)
        told = argparse.Namespace(**{**vars(args), "config": args.teacher, "set": []})
        teacher = Run(build_config(told), workdir, quiet=True)
        teacher.prepare()
        student = prepare_student(build_config(args), workdir)
        true = student.catalogue.class_ids
        answers: dict[str, list[np.ndarray]] = {"teacher": [], "student": []}
        devices: dict[str, dict[str, Any]] = {}
        exports = args.exports
        for seed in map(int, args.seeds.split(",")):
            found: Ids = {name: np.empty_like(true) for name in answers}
            folds = draw_folds(student.catalogue.labels, seed)
            for fold, networks in fit_folds(teacher, student, folds, seed):
                held_out = np.flatnonzero(folds == fold)
                for name, (run, network) in networks.items():
                    votes = run.vote(network, held_out)[0]
                    found[name][held_out] = network.pool(votes).argmax(axis=1)
                if exports:
                    exports -= 1
                    float_ids = found["student"][held_out]
                    export(devices, *networks["student"], held_out, float_ids)
            for name, ids in found.items():
                answers[name].append(ids)
                print(f"seed {seed}: {name}: {accuracy_and_f1(true, ids)}", flush=True)
    summary = summarize(true, answers, devices)
    summary["flagship_ms"] = time_flagship()
    print_table(["what", *VARIANTS, "bar"], list(rows(summary)))
    print(f"accuracy, float: teacher {summary['teacher']:.4f}, student {summary['student']:.4f}, ")
    print(f"which is ahead by {shown_interval(summary['ahead'])}")
    asked = {"label": args.label, "config": args.config, "set": args.set, "seeds": args.seeds}
    asked |= {"teacher": args.teacher, "folds": NUM_FOLDS, "exports": args.exports}
    missed = find_missed(summary)
    write_figures(args.out, {**asked, **summary, "missed": missed})
    print(f"missed: {', '.join(missed)}" if missed else "every bar is kept")
    return int(bool(missed))


def prepare_student(config: Config, workdir: Path) -> Run:
    """Prepares a run without its teacher, which is another one for each fold."""
    alone = dataclasses.replace(config.train, teacher="", temperature=1.0)
    run = Run(dataclasses.replace(config, train=alone), workdir, quiet=True)
    run.prepare()
    run.config = config
    return run


def fit_folds(
    teacher: Run, student: Run, folds: np.ndarray, seed: int
) -> Iterator[tuple[int, dict[str, tuple[Run, Network]]]]:
    """Yields of each fold a teacher that has not seen it, and a student of that teacher."""
    configs = [(run, run.config) for run in (teacher, student)]
    for run, config in configs:
        run.config = apply_overrides(config, [f"train.seed={seed}"])
    for fold in range(NUM_FOLDS):
        knows = fit_fold(teacher, folds, fold)
        votes = knows.vote(student.store, np.arange(student.store.num_rows))[0]
        taught = np.einsum("v,nvc->nc", knows.vote_weights, votes)
        learned = fit_fold(student, folds, fold, taught=taught)
        yield fold, {"teacher": (teacher, knows), "student": (student, learned)}
    for run, config in configs:
        run.config = config


def export(
    devices: dict[str, dict[str, Any]],
    run: Run,
    network: Network,
    held_out: np.ndarray,
    float_ids: np.ndarray,
) -> None:
    """Exports a student, and adds what the runtime of devices makes of the held-out rows."""
    run._export(network, ["train"])
    learned = np.setdiff1d(np.arange(len(run.catalogue.ids)), held_out)
    known = run.catalogue.take(learned)
    out = run.workdir / "edge"
    variants: dict[str, dict[str, Any]] = {name: {} for name in VARIANTS}
    export_for_devices(run.workdir, known, out, variants, num_rows=_NUM_CALIBRATED, accept=True)
    ((source, own),) = run.store.split(held_out)
    products = list(read_values(source, run.catalogue.inputs, own))
    for name in VARIANTS:
        classifier = Classifier(out, name)
        classifier.answer(products[0])
        index = {label: class_id for class_id, label in enumerate(classifier.labels)}
        of = devices.setdefault(name, {"bytes": [], "same": [], "right": [], "ms": []})
        of["bytes"].append((out / f"model-{name}.tflite").stat().st_size)
        of.setdefault("folder_bytes", []).append(_folder_bytes(out, name))
        for row, product in enumerate(products):
            began = time.process_time()
            answer = index[classifier.answer(product).label]
            of["ms"].append(1000 * (time.process_time() - began))
            of["same"].append(answer == float_ids[row])
            of["right"].append(answer == run.catalogue.class_ids[held_out[row]])


def _folder_bytes(folder: Path, variant: str) -> int:
    """Returns the size of all that one variant needs."""
    files = [path for path in folder.rglob("*") if path.is_file()]
    others = {f"model-{name}.tflite" for name in VARIANTS} - {f"model-{variant}.tflite"}
    return sum(path.stat().st_size for path in files if path.name not in others)


def time_flagship() -> float:
    """Returns the median milliseconds of the float graph for a product."""
    text = BertEncoder("text", weights="random", max_tokens=128)
    image = ResNet50Encoder("image", weights="random", image_size=224)
    encoders = [text.build(), image.build()]
    run = tf.function(
        lambda tensors: [of({key: tensors[key] for key in of.input}) for of in encoders]
    )
    tensors = text.preprocess(tf.constant([b"steel kettle with two handles " * 40]))
    assert tf.reduce_all(tensors["text_padding_mask"] == 1)
    tensors["image_pixels"] = tf.zeros((1, 224, 224, 3), tf.uint8)
    milliseconds = []
    for _ in range(_NUM_TIMED):
        began = time.process_time()
        run(tensors)
        milliseconds.append(1000 * (time.process_time() - began))
    return float(np.median(milliseconds[2:]))  # the first trace and allocate


def summarize(
    true: np.ndarray, answers: dict[str, list[np.ndarray]], devices: dict[str, dict[str, Any]]
) -> dict[str, Any]:
    """Returns figures by name, those of devices by variant."""
    summary: dict[str, Any] = {
        name: float(np.mean([np.mean(ids == true) for ids in found]))
        for name, found in answers.items()
    }
    ahead = paired_difference(accuracy_and_f1, true, answers["student"], answers["teacher"])
    summary["ahead"] = ahead["accuracy"]
    summary["variants"] = {
        name: {
            "bytes": max(of["bytes"]),
            "folder_bytes": max(of["folder_bytes"]),
            "agreement": float(np.mean(of["same"])),
            "accuracy": float(np.mean(of["right"])),
            "milliseconds": float(np.median(of["ms"])),
            "num_rows": len(of["same"]),
        }
        for name, of in devices.items()
    }
    return summary


def rows(summary: dict[str, Any]) -> Iterator[list[str]]:
    """Yields the rows of the table."""
    variants = [summary["variants"].get(name) for name in VARIANTS]
    flagship = summary["flagship_ms"]
    for what, show, bar in (
        ("network, MB", lambda of: f"{of['bytes'] / 1e6:.1f}", f"{BYTES_BAR / 1e6:.0f}"),
        ("folder, MB", lambda of: f"{of['folder_bytes'] / 1e6:.1f}", ""),
        ("same answers as float", lambda of: f"{of['agreement']:.4f}", f"{AGREEMENT_BAR}"),
        ("accuracy on the device", lambda of: f"{of['accuracy']:.4f}", ""),
        ("ms a product", lambda of: f"{of['milliseconds']:.1f}", f"{MS_BAR:.0f}"),
        (
            f"times less than the {flagship:.0f} ms of BERT-base + ResNet50",
            lambda of: f"{flagship / of['milliseconds']:.0f}",
            f"{TIMES_BAR:.0f}",
        ),
    ):
        yield [what, *(show(of) if of else "" for of in variants), bar]


def find_missed(summary: dict[str, Any]) -> list[str]:
    """Returns the bars that are missed."""
    missed = []
    if summary["student"] < summary["teacher"] - ACCURACY_BAR:
        missed.append("accuracy")
    for name, of in summary["variants"].items():
        kept = {
            "bytes": of["bytes"] <= BYTES_BAR,
            "agreement": of["agreement"] >= AGREEMENT_BAR,
            "milliseconds": of["milliseconds"] <= MS_BAR,
            "times": summary["flagship_ms"] / of["milliseconds"] >= TIMES_BAR,
        }
        missed += [f"{bar} of {name}" for bar, is_kept in kept.items() if not is_kept]
    return missed


if __name__ == "__main__":
    sys.exit(main())

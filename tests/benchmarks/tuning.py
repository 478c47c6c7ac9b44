"""Tuning methods of the text encoder side by side, on the same folds.

    python tests/benchmarks/tuning.py --data products.csv --label category \
        --ignore subcategory,category_path --out tuning.json

Pictures stay frozen and are embedded once for all. Of each fold the network learns
on three others, weighs its votes on the fourth, and answers the fold. `text vote`
is what the tuned encoder answers alone. Exit status 1: the best method that trains
at most 1 % of the encoder misses 99.5 % of the accuracy of `full`, or its file is
larger than 3 MB.
"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
from cross_validation import (
    NUM_FOLDS,
    accuracy_and_f1,
    build_config,
    build_parser,
    draw_folds,
    paired_difference,
    shown_interval,
)
from table import print_table, write_figures

from trainer.network import Network
from trainer.overrides import apply_overrides
from trainer.run import Run
from trainer.sample import Sample

METHODS = ("frozen", "full", "lora", "bitfit", "adalora", "adapter", "prefix", "partial")
SHARE_BAR, ACCURACY_BAR, BYTES_BAR = 0.01, 0.995, 3_000_000
_BRANCH = "text_bert"


def main() -> int:
    """Measures, prints a table, and writes JSON where asked to."""
    parser = build_parser(__doc__)
    parser.add_argument("--methods", default=",".join(METHODS), help="`full` is compared with")
    parser.add_argument("--workdir", type=Path, help="folder to go on in when interrupted")
    args = parser.parse_args()
    config = build_config(args)
    answers: dict[str, dict[str, list[np.ndarray]]] = {}
    summary: dict[str, dict[str, Any]] = {}
    with tempfile.TemporaryDirectory() as temporary:
        run = Run(config, args.workdir or Path(temporary), quiet=True)
        run.prepare()
        true = run.catalogue.class_ids
        for seed in map(int, args.seeds.split(",")):
            for method in args.methods.split(","):
                found, cost = measure(run, method, seed)
                of_method = answers.setdefault(method, {"fused": [], "text vote": []})
                for name, ids in found.items():
                    of_method[name].append(ids)
                    accuracy = float(np.mean(ids == true))
                    print(f"seed {seed}: {method}: {name}: {accuracy:.4f}", flush=True)
                summary[method] = cost
    for method, of in summary.items():
        for name, found in answers[method].items():
            of[name] = float(np.mean([np.mean(ids == true) for ids in found]))
        if method != "full" and "full" in summary:
            of["paired"] = {
                name: paired_difference(
                    accuracy_and_f1, true, answers[method][name], answers["full"][name]
                )["accuracy"]
                for name in answers[method]
            }
    print_table(
        ["tuning", "trained", "file kB", "CPU s a fit", "fused", "text vote", "ahead of full by"],
        [[name, *_row(of)] for name, of in summary.items()],
    )
    asked = {"label": args.label, "config": args.config, "set": args.set, "seeds": args.seeds}
    write_figures(args.out, {**asked, "methods": summary})
    return 0 if passes(summary) else 1


def measure(run: Run, method: str, seed: int) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    """Returns the answers to all rows over the folds of one seed, and what a fit cost."""
    config, class_ids = run.config, run.catalogue.class_ids
    settings = [f"model.encoders.text.bert.tuning={method}", f"train.seed={seed}"]
    run.config = apply_overrides(config, settings)
    folds = draw_folds(run.catalogue.labels, seed)
    found = {name: np.empty_like(class_ids) for name in ("fused", "text vote")}
    began = time.process_time()
    for fold in range(NUM_FOLDS):
        *others, last = [other for other in range(NUM_FOLDS) if other != fold]
        learned, watched, asked = (
            np.flatnonzero(np.isin(folds, chosen)) for chosen in (others, last, fold)
        )
        network = run.fit(
            Sample.of(learned, class_ids[learned]), Sample.of(watched, class_ids[watched])
        )
        votes, _ = run.vote(network, asked)
        vote = 1 + [branch.name for branch in network.branches].index(_BRANCH)
        found["fused"][asked] = network.pool(votes).argmax(axis=1)
        found["text vote"][asked] = votes[:, vote].argmax(axis=1)
    counts = network.count_parameters()[_BRANCH]
    run.config = config
    return found, {
        "cpu_seconds": (time.process_time() - began) / NUM_FOLDS,
        "trained_share": counts["trained"] / counts["all"],
        "file_bytes": _file_bytes(network, run.workdir),
    }


def passes(summary: dict[str, dict[str, Any]]) -> bool:
    """Says whether the best of the small methods keeps to the bars; True where none was run."""
    small = [of for of in summary.values() if 0 < of["trained_share"] <= SHARE_BAR]
    if not small or "full" not in summary:
        return True
    best = max(small, key=lambda of: of["fused"])
    reached = best["fused"] >= ACCURACY_BAR * summary["full"]["fused"]
    return reached and best["file_bytes"] <= BYTES_BAR


def _file_bytes(network: Network, folder: Path) -> int:
    for branch in network.tuned:
        path = folder / f"{branch.name}.safetensors"
        branch.encoder.write_adapter(path, network.encoders[branch.name])
        return path.stat().st_size
    return 0


def _row(of: dict[str, Any]) -> list[str]:
    ahead = "; ".join(f"{name} {shown_interval(by)}" for name, by in of.get("paired", {}).items())
    return [
        f"{100 * of['trained_share']:.2f} %",
        f"{of['file_bytes'] / 1000:.0f}",
        f"{of['cpu_seconds']:.0f}",
        f"{of['fused']:.4f}",
        f"{of['text vote']:.4f}",
        ahead,
    ]


if __name__ == "__main__":
    sys.exit(main())

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

import argparse
import dataclasses
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
from accuracy import folds, paired_difference
from table import print_table, write_figures

from trainer.config import Config, apply_overrides, load_config
from trainer.network import Network
from trainer.run import Run
from trainer.sample import Sample

METHODS = ("frozen", "full", "lora", "bitfit", "adalora", "adapter", "prefix", "partial")
SHARE_BAR, ACCURACY_BAR, BYTES_BAR = 0.01, 0.995, 3_000_000
_BRANCH = "text_bert"


def main() -> int:
    """Measures, prints a table, and writes JSON where asked to."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", required=True)
    parser.add_argument("--label", required=True)
    parser.add_argument("--ignore", default="")
    parser.add_argument("--config", default="default")
    parser.add_argument("--set", action="append", default=[])
    parser.add_argument("--seeds", default="0")
    parser.add_argument("--methods", default=",".join(METHODS), help="`full` is compared with")
    parser.add_argument("--folds-run", type=int, default=5, help="how many of the 5 folds")
    parser.add_argument("--cache", type=Path, help="folder to keep embeddings in")
    parser.add_argument("--out", type=Path, metavar="FILE.json")
    args = parser.parse_args()
    data = [f"data.table={args.data}", f"data.label={args.label}", f"data.ignore={args.ignore}"]
    config = apply_overrides(load_config(args.config), [*data, *args.set])
    measured: dict[str, list[dict[str, Any]]] = {name: [] for name in args.methods.split(",")}
    with tempfile.TemporaryDirectory() as temporary:
        for seed in map(int, args.seeds.split(",")):
            for name in measured:
                chosen = apply_overrides(config, [f"model.encoders.text.bert.tuning={name}"])
                parts = measure(chosen, seed, args.folds_run, args.cache or Path(temporary))
                measured[name] += parts
                print(f"seed {seed}: {name}: {_shown(summarize(parts))}", flush=True)
    summary = {name: summarize(parts) for name, parts in measured.items()}
    for name, parts in measured.items():
        if "full" in measured and name != "full":
            summary[name]["paired"] = {
                of: _paired(parts, measured["full"], of) for of in ("fused", "text vote")
            }
    print_table(
        ["tuning", "trained", "file kB", "CPU s a fit", "fused", "text vote", "ahead of full by"],
        [[name, *_row(of)] for name, of in summary.items()],
    )
    asked = {key: str(value) for key, value in vars(args).items()}
    write_figures(args.out, {**asked, "methods": summary})
    return 0 if passes(summary) else 1


def measure(config: Config, seed: int, folds_run: int, folder: Path) -> list[dict[str, Any]]:
    """Returns of each fold the true classes, the answers, and what they cost."""
    train = dataclasses.replace(config.train, seed=seed, study=False)
    run = Run(dataclasses.replace(config, train=train), folder, quiet=True)
    run.prepare()
    fold_of = folds(run.catalogue.labels, seed)
    names = sorted(set(fold_of))

    def sample(*chosen: str) -> Sample:
        rows = np.flatnonzero(np.isin(fold_of, chosen))
        return Sample.of(rows, run.catalogue.class_ids[rows])

    parts = []
    for name in names[:folds_run]:
        others = [other for other in names if other != name]
        began = time.process_time()
        network = run.fit(sample(*others[:-1]), sample(*others[-1:]))
        seconds = time.process_time() - began
        held_out = sample(name)
        votes, _ = run.vote(network, held_out.rows)
        vote = 1 + [branch.name for branch in network.branches].index(_BRANCH)
        parts.append(
            {
                "true": held_out.class_ids,
                "fused": network.pool(votes).argmax(axis=1),
                "text vote": votes[:, vote].argmax(axis=1),
                "cpu_seconds": seconds,
                "parameters": network.count_parameters()[_BRANCH],
                "file_bytes": _file_bytes(network, folder),
            }
        )
    return parts


def summarize(parts: list[dict[str, Any]]) -> dict[str, Any]:
    """Returns the accuracies over all rows, and the mean cost of a fit."""
    true = np.concatenate([part["true"] for part in parts])
    accuracies = {
        name: float((np.concatenate([part[name] for part in parts]) == true).mean())
        for name in ("fused", "text vote")
    }
    counts = parts[0]["parameters"]
    return {
        **accuracies,
        "rows": len(true),
        "trained_share": counts["trained"] / counts["all"],
        "file_bytes": parts[0]["file_bytes"],
        "cpu_seconds": float(np.mean([part["cpu_seconds"] for part in parts])),
    }


def passes(summary: dict[str, dict[str, Any]]) -> bool:
    """Says whether the best of the small methods keeps to the bars; True where none was run."""
    small = [of for of in summary.values() if 0 < of["trained_share"] <= SHARE_BAR]
    if not small or "full" not in summary:
        return True
    best = max(small, key=lambda of: of["fused"])
    reached = best["fused"] >= ACCURACY_BAR * summary["full"]["fused"]
    return reached and best["file_bytes"] <= BYTES_BAR


def _paired(ours: list[dict], theirs: list[dict], name: str) -> tuple[float, float, float]:
    true, mine, other = (
        np.concatenate([part[key] for part in parts])
        for parts, key in ((ours, "true"), (ours, name), (theirs, name))
    )
    return paired_difference(true, [mine], [other])["accuracy"]


def _file_bytes(network: Network, folder: Path) -> int:
    for branch in network.tuned:
        path = folder / f"{branch.name}.safetensors"
        branch.encoder.write_adapter(path, network.encoders[branch.name])
        return path.stat().st_size
    return 0


def _shown(of: dict[str, Any]) -> str:
    return f"fused {of['fused']:.4f}, text vote {of['text vote']:.4f} of {of['rows']} rows"


def _row(of: dict[str, Any]) -> list[str]:
    ahead = "; ".join(
        f"{name} {100 * by[0]:+.1f} ({100 * by[1]:+.1f} to {100 * by[2]:+.1f})"
        for name, by in of.get("paired", {}).items()
    )
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

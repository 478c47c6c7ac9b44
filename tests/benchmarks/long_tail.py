"""What the measures for long tails gain on rare classes, and cost on the others.

    python tests/benchmarks/long_tail.py --data products.csv --label category,subcategory \
        --ignore category_path --seeds 0,1,2 --out long_tail.json

The configuration beside itself without names of classes as products and without
logit adjustment, on the same folds. Rare is a class of at most 20 rows. Exit
status 1: a bar was missed.
"""

from __future__ import annotations

import sys

import numpy as np
from cross_validation import (
    NUM_FOLDS,
    build_parser,
    class_f1,
    cross_validate,
    open_run,
    paired_difference,
    shown_interval,
)
from table import print_table, write_figures

from trainer.slices import TAIL

WITHOUT = ("train.class_names=False", "train.logit_adjustment=0")
BARS = {"tail macro F1": 0.05, "head accuracy": -0.005}


def main() -> int:
    args = build_parser(__doc__).parse_args()
    sides: dict[str, tuple[str, ...]] = {"with": (), "without": WITHOUT}
    answers: dict[str, list[np.ndarray]] = {side: [] for side in sides}
    with open_run(args) as run:
        true = run.catalogue.class_ids
        is_rare = np.bincount(true) <= TAIL
        for seed in map(int, args.seeds.split(",")):
            for side, settings in sides.items():
                answers[side].append(cross_validate(run, seed, settings).argmax(axis=1))
                figures = measure(true, answers[side][-1], is_rare)
                print(f"seed {seed}, {side}: {figures}", flush=True)
    summary = {
        side: {
            name: float(np.mean([measure(true, found, is_rare)[name] for found in answers[side]]))
            for name in measure(true, true, is_rare)
        }
        for side in sides
    }
    gains = paired_difference(
        lambda true, found: measure(true, found, is_rare), true, answers["with"], answers["without"]
    )
    print_table(
        ["", *sides, "gain in points (95 % interval)", "at least"],
        [
            [
                name,
                *(f"{summary[side][name]:.4f}" for side in sides),
                shown_interval(gain),
                f"{100 * BARS[name]:+.1f}" if name in BARS else "",
            ]
            for name, gain in gains.items()
        ],
    )
    asked = {"label": args.label, "config": args.config, "set": args.set, "folds": NUM_FOLDS}
    write_figures(args.out, {**asked, "seeds": args.seeds, "sides": summary, "gains": gains})
    return int(any(gains[name][0] < bar for name, bar in BARS.items()))


def measure(true: np.ndarray, found: np.ndarray, is_rare: np.ndarray) -> dict[str, float]:
    """Returns figures of all rows, of the rare classes and of the others."""
    f1, right, in_tail = class_f1(true, found, len(is_rare)), true == found, is_rare[true]
    return {
        "accuracy": float(right.mean()),
        "macro F1": float(np.nanmean(f1)),
        "tail macro F1": float(np.nanmean(f1[is_rare])),
        "tail accuracy": float(right[in_tail].mean()),
        "head macro F1": float(np.nanmean(f1[~is_rare])),
        "head accuracy": float(right[~in_tail].mean()),
    }


if __name__ == "__main__":
    sys.exit(main())

"""What averaged weights, ensembles and auxiliary objectives add, cross-validated.

    python tests/benchmarks/objectives.py --data products.csv --label category,subcategory \
        --ignore category_path --seeds 0,1,2 --out objectives.json

Each setting is measured on the same folds and set beside the one that it changes,
by product.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from cross_validation import (
    accuracy_and_f1,
    build_parser,
    cross_validate,
    open_run,
    paired_difference,
    shown_interval,
)
from table import print_table, write_figures

_GATED = ["model.fusion=gated", "train.head_learning_rate=0.002"]
# Name to the name of what it is compared with, and to the settings that differ from the
# configuration.
_SETTINGS: dict[str, tuple[str, list[str]]] = {
    "default": ("", []),
    "ema": ("default", ["train.average=ema"]),
    "swa": ("default", ["train.average=swa"]),
    "ensemble of 5": ("default", ["train.ensemble=5", "train.bootstrap=true"]),
    "distilled from 5": (
        "default",
        ["train.ensemble=5", "train.bootstrap=true", "train.distill=true"],
    ),
    "gated": ("default", _GATED),
    "gated + ensemble of 5": ("gated", [*_GATED, "train.ensemble=5"]),
    "gated + contrastive": ("gated", [*_GATED, "train.objectives.contrastive.weight=0.1"]),
    "gated + supervised contrastive": (
        "gated",
        [*_GATED, "train.objectives.supervised_contrastive.weight=0.1"],
    ),
}


def main() -> None:
    parser = build_parser(__doc__)
    parser.add_argument("--only", default="", help="names of settings, separated by commas")
    args = parser.parse_args()
    asked = args.only.split(",") if args.only else list(_SETTINGS)
    if unknown := set(asked) - set(_SETTINGS):
        parser.error(f"--only: expected names of {list(_SETTINGS)}. Received: {sorted(unknown)}.")
    found: dict[str, list[np.ndarray]] = {}
    summary: dict[str, dict[str, Any]] = {}
    with open_run(args) as run:
        true = run.catalogue.class_ids
        for name in asked:
            found[name] = [
                cross_validate(run, int(seed), _SETTINGS[name][1]).argmax(axis=1)
                for seed in args.seeds.split(",")
            ]
            figures = [accuracy_and_f1(true, ids) for ids in found[name]]
            summary[name] = {key: float(np.mean([of[key] for of in figures])) for key in figures[0]}
            print(name, summary[name], flush=True)
    for name, ids in found.items():
        if (other := _SETTINGS[name][0]) in found:
            summary[name]["paired"] = paired_difference(accuracy_and_f1, true, ids, found[other])
    print_table(
        ["setting", "accuracy", "macro F1", "beside", "accuracy ahead by", "macro F1 ahead by"],
        [_row(name, of) for name, of in summary.items()],
    )
    told = {"label": args.label, "config": args.config, "set": args.set, "seeds": args.seeds}
    write_figures(args.out, {**told, "settings": summary})


def _row(name: str, of: dict[str, Any]) -> list[str]:
    paired = [shown_interval(by) for by in of.get("paired", {}).values()]
    other = [_SETTINGS[name][0], *paired] if paired else [""] * 3
    return [name, f"{of['accuracy']:.4f}", f"{of['macro_f1']:.4f}", *other]


if __name__ == "__main__":
    main()

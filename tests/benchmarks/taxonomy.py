"""What a classifier makes of a taxonomy, cross-validated.

    python tests/benchmarks/taxonomy.py --data products.csv --label category,subcategory \
        --ignore category_path --seeds 0,1,2 --taxonomy tests/benchmarks/flipkart_taxonomy.json

First all classes: hierarchical F1 beside the accuracy of whole paths, and
answers that are no path of the taxonomy. Then classes without rows: classes are
dealt into five parts, and the products of each part are answered by a network
that has seen none of them, only texts of their classes: names, or what the
taxonomy file says of them. Exit status 1: a bar was missed.
"""

from __future__ import annotations

import dataclasses
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from cross_validation import build_config, build_parser, draw_folds
from table import print_table, write_figures

from trainer.answers import OK, Answers
from trainer.evaluate import SURE, evaluate_answers, path_nodes
from trainer.overrides import apply_overrides
from trainer.run import Run

LEAD_BAR = 0.03
"""How far hierarchical F1 must be above the accuracy of whole paths."""
NUM_PARTS = 5


def main() -> int:
    parser = build_parser(__doc__)
    parser.add_argument("--taxonomy", default="", help="file to compare with names alone")
    args = parser.parse_args()
    configs = {"names": build_config(args)}
    if args.taxonomy:
        configs["file"] = apply_overrides(configs["names"], [f"data.taxonomy={args.taxonomy}"])
    found: dict[str, list[dict[str, float]]] = {}
    with tempfile.TemporaryDirectory() as folder:
        for texts, of_texts in configs.items():
            run = Run(of_texts, Path(folder), quiet=True)
            run.prepare()
            for seed in map(int, args.seeds.split(",")):
                for name, figures in measure(run, seed).items():
                    found.setdefault(f"{name}, {texts}", []).append(figures)
                    print(f"seed {seed}: {name}, {texts}: {figures}", flush=True)
    means = {
        name: {key: float(np.mean([of[key] for of in figures])) for key in figures[0]}
        for name, figures in found.items()
    }
    keys = list(next(iter(means.values())))
    print_table(
        ["", *keys], [[name, *(f"{of[key]:.4f}" for key in keys)] for name, of in means.items()]
    )
    asked = {"label": args.label, "config": args.config, "set": args.set, "seeds": args.seeds}
    write_figures(args.out, {**asked, "taxonomy": args.taxonomy, "figures": found})
    full = means["all classes seen, names"]
    good = full["hierarchical F1"] - full["accuracy"] >= LEAD_BAR
    return int(not good or any(of["invalid paths"] for of in means.values()))


def measure(run: Run, seed: int) -> dict[str, dict[str, float]]:
    """Returns the figures of one seed, with all classes seen and with each unseen once."""
    train = dataclasses.replace(run.config.train, seed=seed)
    run.config = dataclasses.replace(run.config, train=train)
    fold_of = draw_folds(run.catalogue.labels, seed).astype(str)
    order = np.random.default_rng(seed).permutation(len(run.catalogue.class_names))
    part_of = (np.argsort(order) % NUM_PARTS)[run.catalogue.class_ids]
    parts = [np.where(part_of == part, "unseen", fold_of) for part in range(NUM_PARTS)]
    return {
        "all classes seen": judge(run, [(fold_of, fold) for fold in sorted(set(fold_of))]),
        "classes without rows": judge(run, [(splits, "unseen") for splits in parts]),
    }


def judge(run: Run, splits_of: list[tuple[np.ndarray, str]]) -> dict[str, float]:
    """Returns figures of all rows, each held out in one of some splits."""
    catalogue = run.catalogue
    scores = np.zeros((len(catalogue.ids), len(catalogue.class_names)), np.float32)
    for splits, held_out in splits_of:
        run.catalogue = dataclasses.replace(catalogue, splits=splits)
        others = sorted(set(splits) - {held_out})
        # As `taxofuse run`: votes weighed on one fold, then all others at once.
        first = run.fit(run.sample(*others[:-1]), run.sample(others[-1]))
        network = run.fit(run.sample(*others), epochs=first.epochs, vote_weights=first.vote_weights)
        scores[splits == held_out] = run.answer(network, held_out).scores
    answers = Answers(catalogue.ids, catalogue.class_names, scores, {}, [OK] * len(scores))
    metrics: dict[str, Any] = evaluate_answers(answers, catalogue.labels, catalogue.level_names)
    nodes = set().union(*map(path_nodes, catalogue.class_names))
    paths = [*answers.labels, *answers.sure_labels(SURE)]
    better = (scores[np.arange(len(scores)), catalogue.class_ids] < scores.T).sum(axis=0)
    return {
        "accuracy": metrics["accuracy"],
        "macro recall": metrics["macro_recall"],
        "in first 5": float(np.mean(better < 5)),
        "top level": next(iter(metrics["levels"].values()))["accuracy"],
        "hierarchical F1": metrics["hierarchical"]["f1"],
        "backed off F1": metrics["backed_off"]["f1"],
        "invalid paths": sum(not path_nodes(path) <= nodes for path in paths),
    }


if __name__ == "__main__":
    sys.exit(main())

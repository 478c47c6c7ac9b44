"""How many labels `taxofuse select` saves against labelling products at random.

    python tests/benchmarks/selection.py --data products.csv --label category \
        --ignore subcategory,category_path --seeds 0,1,2

Cross-validated: in each fold the training rows are candidates without labels.
Labels are bought in batches, from none on; after each batch a classifier is
trained and answers the held-out rows. Exit status 1: the bar was missed.
"""

from __future__ import annotations

import dataclasses
import sys

import numpy as np
from cross_validation import NUM_FOLDS, build_parser, draw_folds, open_run
from table import print_table, write_figures

from trainer.network import Network
from trainer.registry import SELECTIONS
from trainer.run import Run
from trainer.sample import Sample
from trainer.selection.candidates import Candidates

TARGET, BAR = 0.95, 0.5
"""Share of the full accuracy to reach, with at most this share of the labels that random needs."""


def main() -> int:
    parser = build_parser(__doc__)
    parser.add_argument("--strategies", default="random,clue")
    parser.add_argument("--batch", type=int, default=14, help="labels bought at a time")
    parser.add_argument("--labels", type=int, default=154, help="labels bought in all")
    args = parser.parse_args()
    budgets = list(range(args.batch, args.labels + 1, args.batch))
    curves: dict[str, list[list[float]]] = {}
    with open_run(args) as run:
        for seed in map(int, args.seeds.split(",")):
            for name, curve in simulate(run, seed, args.strategies.split(","), budgets).items():
                curves.setdefault(name, []).append(curve)
                print(f"seed {seed}: {name}: {[round(of, 3) for of in curve]}", flush=True)
    means = {name: np.mean(found, axis=0) for name, found in curves.items()}
    target = TARGET * means.pop("all labels")[0]
    needed = {name: labels_needed(curve, budgets, target) for name, curve in means.items()}
    print_table(
        ["strategy", *map(str, budgets), f"labels for {target:.3f}"],
        [
            [name, *(f"{of:.3f}" for of in curve), f"{needed[name]:.0f}"]
            for name, curve in means.items()
        ],
    )
    missed = [name for name in needed if needed[name] > BAR * needed["random"]]
    asked = {"label": args.label, "config": args.config, "set": args.set, "seeds": args.seeds}
    write_figures(args.out, {**asked, "budgets": budgets, "curves": curves, "needed": needed})
    return int(len(missed) == len(needed))


def labels_needed(curve: np.ndarray, budgets: list[int], target: float) -> float:
    """Returns where a curve first reaches the target, read off between two budgets."""
    for index, accuracy in enumerate(curve):
        if accuracy >= target:
            if index == 0:
                return budgets[0]
            share = (target - curve[index - 1]) / (accuracy - curve[index - 1])
            return budgets[index - 1] + share * (budgets[index] - budgets[index - 1])
    return float("inf")


def simulate(
    run: Run, seed: int, strategies: list[str], budgets: list[int]
) -> dict[str, list[float]]:
    """Returns the mean accuracy over the folds of one seed, for each budget, by strategy."""
    train = dataclasses.replace(run.config.train, seed=seed)
    run.config = dataclasses.replace(run.config, train=train)
    class_ids = run.catalogue.class_ids
    fold_of = draw_folds(run.catalogue.labels, seed)
    accuracies: dict[str, list[list[float]]] = {}

    def fit(rows: np.ndarray) -> Network:
        return run.fit(Sample.of(rows, class_ids[rows]))

    for fold in range(NUM_FOLDS):
        pool, held_out = np.flatnonzero(fold_of != fold), np.flatnonzero(fold_of == fold)

        def accuracy(network: Network, asked: np.ndarray = held_out) -> float:
            votes, _ = run.vote(network, asked)
            return float(np.mean(network.pool(votes).argmax(axis=1) == class_ids[asked]))

        accuracies.setdefault("all labels", []).append([accuracy(fit(pool))] * len(budgets))
        for strategy in strategies:
            rng = np.random.default_rng([seed, fold])
            labelled = np.array([], np.int64)
            network, curve = fit(labelled), []
            for budget in budgets:
                left = np.setdiff1d(pool, labelled)
                votes, _ = run.vote(network, left)
                embeddings = [embed(run, network, rows) for rows in (left, labelled)]
                candidates = Candidates(network.pool(votes), *embeddings)
                chosen = SELECTIONS.get(strategy)(candidates, budget - len(labelled), rng)
                labelled = np.union1d(labelled, left[chosen])
                network = fit(labelled)
                curve.append(accuracy(network))
            accuracies.setdefault(strategy, []).append(curve)
    return {name: np.mean(found, axis=0).tolist() for name, found in accuracies.items()}


def embed(run: Run, network: Network, rows: np.ndarray) -> np.ndarray:
    """Returns the embeddings of rows side by side, as the default fusion has them."""
    arrays = run.store.arrays(network.branches, network.encoders)
    fused = np.concatenate([arrays[branch.name][rows] for branch in network.branches], axis=1)
    return fused / np.maximum(np.linalg.norm(fused, axis=1, keepdims=True), 1e-9)


if __name__ == "__main__":
    sys.exit(main())

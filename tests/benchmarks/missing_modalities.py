"""What missing inputs cost, cross-validated.

    python tests/benchmarks/missing_modalities.py --data products.csv \
        --label category,subcategory --ignore category_path --seeds 0,1,2

For each input in turn: hidden in a share of all rows, training rows too; and
hidden in all rows at prediction only, beside a model that was trained without
it. All see the same folds. Exit status 1: a bar was missed.
"""

from __future__ import annotations

import dataclasses
import sys

import numpy as np
from cross_validation import NUM_FOLDS, build_parser, draw_folds, fit_fold, open_run
from table import print_table, write_figures

from trainer.data.table import Table
from trainer.embed import FeatureStore
from trainer.input_pipeline import write_examples
from trainer.network import Network
from trainer.run import Run

COST_BAR = 0.15
"""Share of the full accuracy that hidden inputs may cost."""


def main() -> int:
    parser = build_parser(__doc__)
    parser.add_argument("--share", type=float, default=0.7, help="of the rows that lack an input")
    args = parser.parse_args()
    with open_run(args) as run:
        bench = Bench(run)
        found: dict[str, list[float]] = {}
        for seed in map(int, args.seeds.split(",")):
            for name, accuracy in bench.measure(seed, args.share).items():
                found.setdefault(name, []).append(accuracy)
                print(f"seed {seed}: {name}: {accuracy:.4f}", flush=True)
    means = {name: float(np.mean(accuracies)) for name, accuracies in found.items()}
    full, missed = means["all inputs"], []
    for name in bench.inputs:
        if means[f"{name} hidden in {args.share:.0%}"] < (1 - COST_BAR) * full:
            missed.append(f"{name} hidden in {args.share:.0%}")
        if means[f"{name} absent at prediction"] < means[f"trained without {name}"]:
            missed.append(f"{name} absent at prediction")
    print_table(
        ["", "accuracy", "deviation", "of all inputs"],
        [
            [name, f"{mean:.4f}", f"{np.std(found[name]):.4f}", f"{mean / full:.3f}"]
            for name, mean in means.items()
        ],
    )
    print("missed:", ", ".join(missed) or "nothing")
    asked = {"label": args.label, "config": args.config, "set": args.set, "seeds": args.seeds}
    write_figures(args.out, {**asked, "share": args.share, "accuracy": found, "missed": missed})
    return 1 if missed else 0


class Bench:
    """A run whose feature store also holds every row without each of its inputs."""

    def __init__(self, run: Run) -> None:
        self.run = run
        self.inputs = [spec.name for spec in run.catalogue.inputs]
        table = run.catalogue.table
        sources = list(run.store.sources)
        first = len(sources)
        for spec in run.catalogue.inputs:
            frame = table.frame.assign(**dict.fromkeys(spec.columns, ""))
            sources.append(sources[0].with_name(f"without-{spec.name}"))
            write_examples(Table(frame, table.folder), run.catalogue.inputs, sources[-1])
        run.store = FeatureStore(run.store.folder, sources)
        self.hidden = {
            name: run.store.positions(first + index) for index, name in enumerate(self.inputs)
        }

    def measure(self, seed: int, share: float) -> dict[str, float]:
        """Returns the accuracy of each way over the folds of one seed."""
        run, class_ids = self.run, self.run.catalogue.class_ids
        train = dataclasses.replace(run.config.train, seed=seed)
        run.config = dataclasses.replace(run.config, train=train)
        folds = draw_folds(run.catalogue.labels, seed)
        rows = np.arange(len(class_ids))
        right: dict[str, list[float]] = {}

        def judge(name: str, network: Network, asked: np.ndarray, truth: np.ndarray) -> None:
            order = np.argsort(asked)
            votes, _ = run.vote(network, asked[order])
            right.setdefault(name, []).extend(network.pool(votes).argmax(axis=1) == truth[order])

        for fold in range(NUM_FOLDS):
            held_out = folds == fold
            truth = class_ids[held_out]
            network = fit_fold(run, folds, fold)
            judge("all inputs", network, rows[held_out], truth)
            for spec in run.catalogue.inputs:
                name = spec.name
                judge(f"{name} absent at prediction", network, self.hidden[name][held_out], truth)
                others = tuple(other for other in run.catalogue.inputs if other != spec)
                without = fit_fold(run, folds, fold, inputs=others)
                judge(f"trained without {name}", without, rows[held_out], truth)
                lacking = np.random.default_rng(seed).random(len(rows)) < share
                shown = np.where(lacking, self.hidden[name], rows)
                partly = fit_fold(run, folds, fold, shown)
                judge(f"{name} hidden in {share:.0%}", partly, shown[held_out], truth)
        return {name: float(np.mean(values)) for name, values in right.items()}


if __name__ == "__main__":
    sys.exit(main())

"""What missing modalities cost, cross-validated.

    python tests/benchmarks/missing_modalities.py --data products.csv \
        --label category,subcategory --ignore category_path --seeds 0,1,2

For each modality in turn: hidden in a share of all rows, training rows too; and
hidden in all rows at prediction only, beside a model that was trained without
it. All see the same folds. Exit status 1: a bar was missed.
"""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Sequence

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
    parser.add_argument("--share", type=float, default=0.7, help="of the rows that lack a modality")
    parser.add_argument("--modalities", default="image,text")
    args = parser.parse_args()
    kinds = args.modalities.split(",")
    with open_run(args) as run:
        bench = Bench(run, kinds)
        found: dict[str, list[float]] = {}
        for seed in map(int, args.seeds.split(",")):
            for name, accuracy in bench.measure(seed, args.share).items():
                found.setdefault(name, []).append(accuracy)
                print(f"seed {seed}: {name}: {accuracy:.4f}", flush=True)
    means = {name: float(np.mean(accuracies)) for name, accuracies in found.items()}
    full, missed = means["all inputs"], []
    for kind in kinds:
        if means[f"{kind} hidden in {args.share:.0%}"] < (1 - COST_BAR) * full:
            missed.append(f"{kind} hidden in {args.share:.0%}")
        if means[f"{kind} absent at prediction"] < means[f"trained without {kind}"]:
            missed.append(f"{kind} absent at prediction")
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
    """A run whose feature store also holds every row without each modality."""

    def __init__(self, run: Run, kinds: Sequence[str]) -> None:
        self.run = run
        table, inputs = run.catalogue.table, run.catalogue.inputs
        sources = list(run.store.sources)
        first = len(sources)
        for kind in kinds:
            hidden = [column for spec in inputs if spec.kind == kind for column in spec.columns]
            frame = table.frame.assign(**dict.fromkeys(hidden, ""))
            sources.append(sources[0].with_name(f"without-{kind}"))
            write_examples(Table(frame, table.folder), inputs, sources[-1])
        run.rows = dataclasses.replace(run.rows, store=FeatureStore(run.store.folder, sources))
        self.hidden = {kind: run.store.positions(first + at) for at, kind in enumerate(kinds)}

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
            for kind, hidden in self.hidden.items():
                judge(f"{kind} absent at prediction", network, hidden[held_out], truth)
                others = tuple(spec for spec in run.catalogue.inputs if spec.kind != kind)
                without = fit_fold(run, folds, fold, inputs=others)
                judge(f"trained without {kind}", without, rows[held_out], truth)
                lacking = np.random.default_rng(seed).random(len(rows)) < share
                shown = np.where(lacking, hidden, rows)
                partly = fit_fold(run, folds, fold, shown)
                judge(f"{kind} hidden in {share:.0%}", partly, shown[held_out], truth)
        return {name: float(np.mean(values)) for name, values in right.items()}


if __name__ == "__main__":
    sys.exit(main())

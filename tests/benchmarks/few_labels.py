"""How far few labels go, and what rows without labels add to them.

    python tests/benchmarks/few_labels.py --data products.csv --label category \
        --ignore subcategory,category_path --seeds 0,1,2 --out few_labels.json

Cross-validated. In each fold some rows a class are drawn from the training
rows; a classifier learns from these alone, and another one also from the other
training rows, without their labels and without copies of labelled or held-out
rows. Both are measured on the held-out rows, beside one that knows all labels.
Exit status 1: a bar was missed.
"""

from __future__ import annotations

import dataclasses
import sys

import numpy as np
from cross_validation import build_parser, draw_folds, open_run
from table import print_table, write_figures

from trainer.data.duplicates import group_near_duplicates
from trainer.run import Run
from trainer.sample import Sample

ALL, FEW, MORE = "all labels", "few labels", "few labels and rows without"
SHARE_BAR, GAIN_BAR = 0.9, 0.03
"""Of the accuracy with all labels, by few alone; and what rows without labels add to it."""


def main() -> int:
    parser = build_parser(__doc__)
    parser.add_argument("--draws", type=int, default=2, help="draws of labels a fold")
    parser.add_argument("--rows", type=int, default=8, help="labelled rows a class")
    args = parser.parse_args()
    right: dict[str, list[np.ndarray]] = {ALL: [], FEW: [], MORE: []}
    with open_run(args) as run:
        for seed in map(int, args.seeds.split(",")):
            for name, found in measure(run, seed, args.draws, args.rows).items():
                right[name].append(found)
                print(f"seed {seed}: {name}: accuracy {found.mean():.4f}", flush=True)
    # Products are resampled, all seeds and draws of one together.
    by_product = {name: np.mean(found, axis=0) for name, found in right.items()}
    num_products = len(run.catalogue.ids)
    rows = np.random.default_rng(0).integers(num_products, size=(2000, num_products))

    def interval(figure: np.ndarray) -> list[float]:
        return [float(figure.mean()), *np.percentile(figure[rows].mean(axis=1), [2.5, 97.5])]

    accuracy = {name: interval(found) for name, found in by_product.items()}
    gain = interval(by_product[MORE] - by_product[FEW])
    share = accuracy[FEW][0] / accuracy[ALL][0]
    print_table(
        ["learned from", "accuracy (95 % interval)"],
        [[name, f"{of[0]:.4f} ({of[1]:.4f} to {of[2]:.4f})"] for name, of in accuracy.items()],
    )
    print(f"few labels reach {share:.1%} of all labels; at least {SHARE_BAR:.0%}")
    print(
        f"rows without labels add {100 * gain[0]:+.1f} points ({100 * gain[1]:+.1f} to "
        f"{100 * gain[2]:+.1f}); at least {100 * GAIN_BAR:+.0f}"
    )
    asked = {key: value for key, value in vars(args).items() if key != "out"}
    write_figures(args.out, {**asked, "accuracy": accuracy, "share": share, "gain": gain})
    return int(share < SHARE_BAR or gain[0] < GAIN_BAR)


def measure(run: Run, seed: int, num_draws: int, rows_a_class: int) -> dict[str, np.ndarray]:
    """Returns how often each row was answered right, `(rows,)`, by what was learned from."""
    train = dataclasses.replace(run.config.train, seed=seed)
    run.config = dataclasses.replace(run.config, train=train)
    catalogue = run.catalogue
    class_ids = catalogue.class_ids
    splits = draw_folds(catalogue.labels, seed)
    groups = group_near_duplicates(catalogue.table, catalogue.inputs)
    right = {name: np.zeros(len(class_ids)) for name in (ALL, FEW, MORE)}

    def count(name: str, learned: np.ndarray, held_out: np.ndarray, unlabeled: np.ndarray) -> None:
        network = run.fit(Sample.of(learned, class_ids[learned]), unlabeled=unlabeled)
        votes, _ = run.vote(network, held_out)
        found = network.pool(votes).argmax(axis=1) == class_ids[held_out]
        right[name][held_out] += found / (1 if name == ALL else num_draws)

    rng = np.random.default_rng(seed)
    none = np.zeros(0, np.int64)
    for fold in sorted(set(splits)):
        held_out, others = np.flatnonzero(splits == fold), np.flatnonzero(splits != fold)
        count(ALL, others, held_out, none)
        for _ in range(num_draws):
            few = np.concatenate(
                [
                    rng.permutation(others[class_ids[others] == class_id])[:rows_a_class]
                    for class_id in range(len(catalogue.class_names))
                ]
            )
            known = groups[np.concatenate([few, held_out])]
            unlabeled = others[~np.isin(groups[others], known)]
            count(FEW, few, held_out, none)
            count(MORE, few, held_out, unlabeled)
    return right


if __name__ == "__main__":
    sys.exit(main())

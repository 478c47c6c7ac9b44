"""What learning from changed copies of products and from mixed embeddings gains.

    python tests/benchmarks/augmentation.py --data products.csv --label category \
        --ignore subcategory,category_path --seeds 0,1,2 --out augmentation.json

Cross-validated, on the same folds: the configuration without augmentation,
with one and two views of its texts, its pictures and all its inputs, and with
MixUp. Differences to the first are paired, their intervals those of the mean
over the seeds under resampled products.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

import numpy as np
from cross_validation import (
    NUM_FOLDS,
    accuracy_and_f1,
    build_parser,
    cross_validate,
    open_run,
    paired_difference,
    shown_interval,
)
from table import print_table, write_figures

from trainer.config import Config
from trainer.mixing import check_mixing
from trainer.preprocessing import build_branches

MIXUP = 0.2
"""As the paper has it for ImageNet."""


def main() -> None:
    args = build_parser(__doc__).parse_args()
    answers: dict[str, list[np.ndarray]] = {}
    with open_run(args) as run:
        true, inputs = run.catalogue.class_ids, run.catalogue.inputs
        compared = variants(run.config, [spec.kind for spec in inputs])
        branches = build_branches(inputs, run.config.model.encoders)
        for config in compared.values():
            check_mixing(branches, config)  # before hours of work
        for name, config in compared.items():
            run.config = config
            run.write_rows()
            for seed in map(int, args.seeds.split(",")):
                found = cross_validate(run, seed).argmax(axis=1)
                answers.setdefault(name, []).append(found)
                print(f"seed {seed}, {name}: {accuracy_and_f1(true, found)}", flush=True)
    base = next(iter(answers.values()))
    summary = {
        name: paired_difference(accuracy_and_f1, true, found, base)
        for name, found in answers.items()
    }
    means = {
        name: np.mean([list(accuracy_and_f1(true, of).values()) for of in found], axis=0)
        for name, found in answers.items()
    }
    print_table(
        ["", "accuracy", "macro F1", "gain in accuracy (95 % interval)", "in macro F1"],
        [
            [name, *(f"{mean:.4f}" for mean in means[name]), *map(shown_interval, gains.values())]
            for name, gains in summary.items()
        ],
    )
    asked = {"label": args.label, "config": args.config, "set": args.set, "folds": NUM_FOLDS}
    figures = {name: {"means": means[name].tolist(), "gains": summary[name]} for name in answers}
    write_figures(args.out, {**asked, "seeds": args.seeds, "variants": figures})


def variants(config: Config, kinds: Sequence[str]) -> dict[str, Config]:
    """Returns what is compared, by name; the first is without augmentation."""

    def variant(**augment: Any) -> Config:
        augment = {"views": 0, "mixup": 0.0, "cutmix": 0.0, **augment}
        return dataclasses.replace(config, augment=dataclasses.replace(config.augment, **augment))

    found = {"without": variant()}
    changed = {kind: of for kind, of in config.augment.operations.items() if kind in kinds}
    chosen = {kind: {kind: of} for kind, of in changed.items() if kind in ("text", "image")}
    for name, operations in {**chosen, "all inputs": changed}.items():
        for views in (1, 2):
            found[f"{name}, views={views}"] = variant(views=views, operations=operations)
    return {**found, f"mixup={MIXUP}": variant(mixup=MIXUP)}


if __name__ == "__main__":
    main()

"""How well `taxofuse clean` finds planted wrong labels, and what training gains from it.

    python tests/benchmarks/wrong_labels.py --seeds 0,1,2 --out wrong_labels.json

Each seed draws a demo catalogue with wrong labels, those of classes like the
right one. Half of the products are for training; accuracy is measured on the
other half against the true labels, after training on the labels as they are,
as `clean` leaves them, and on the true ones.
"""

from __future__ import annotations

import argparse
import dataclasses
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.metrics import precision_recall_curve, roc_auc_score
from table import print_table, write_figures

from trainer.config import Config, load_config
from trainer.demo_catalogue.catalogue import write_demo_catalogue
from trainer.demo_catalogue.evidence import load_evidence
from trainer.overrides import apply_overrides
from trainer.run import Run
from trainer.wrong_labels import cross_judge, rank_labels

LABEL = ("category", "subcategory")
BARS = {"auroc": 0.97, "precision at recall 0.8": 0.85, "recovered": 0.8}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--products", type=int, default=1200)
    parser.add_argument("--share", type=float, default=0.1)
    parser.add_argument("--config", default="default")
    parser.add_argument("--set", action="append", default=[])
    parser.add_argument("--seeds", default="0,1,2")
    parser.add_argument("--out", type=Path)
    args = parser.parse_args()
    config = apply_overrides(load_config(args.config), ["train.study=False", *args.set])
    config = dataclasses.replace(config, data=dataclasses.replace(config.data, label=LABEL))
    by_seed = []
    for seed in map(int, args.seeds.split(",")):
        with tempfile.TemporaryDirectory() as folder:
            table = write_demo_catalogue(
                Path(folder, "demo"),
                num_products=args.products,
                seed=seed,
                wrong_label_share=args.share,
            )
            by_seed.append(measure(config, table, Path(folder), seed))
        print(f"seed {seed}: {by_seed[-1]}", flush=True)
    means = {name: float(np.mean([of[name] for of in by_seed])) for name in by_seed[0]}
    # The ratio of means: a ratio of a few rows in one seed says nothing.
    means["recovered"] = (means["relabelled"] - means["as they are"]) / (
        means["true labels"] - means["as they are"]
    )
    print_table(
        ["", "mean", "at least"],
        [[name, f"{mean:.4f}", str(BARS.get(name, ""))] for name, mean in means.items()],
    )
    write_figures(args.out, {"products": args.products, "share": args.share, "seeds": by_seed})


def measure(config: Config, table: Path, folder: Path, seed: int) -> dict[str, float]:
    """Returns the figures of one catalogue."""
    frame = pd.read_csv(table, dtype=str, keep_default_na=False)
    evidence = {record.id: record for record in load_evidence(table.with_name("evidence.jsonl"))}
    records = [evidence[row_id] for row_id in frame["id"]]
    true = [record.true_label for record in records]
    groups = np.array([record.duplicate_group for record in records])
    held_out = np.random.default_rng(seed).random(groups.max() + 1)[groups] < 0.5
    frame["split"] = np.where(held_out, "test", "train")
    noisy = table.with_name("noisy.csv")
    frame.to_csv(noisy, index=False)
    frame[list(LABEL)] = [label.split(" > ") for label in true]
    right = table.with_name("true.csv")
    frame.to_csv(right, index=False)

    judge = Run(_with(config, noisy, seed), folder / "judge", quiet=True)
    found = rank_labels(judge, cross_judge(judge))
    suspicious = folder / "suspicious.csv"
    found.to_csv(suspicious, index=False)
    wrong = np.array([evidence[row_id].wrong_label for row_id in found["id"]])
    doubt = -found["label_quality"].to_numpy()
    precision, recall, _ = precision_recall_curve(wrong, doubt)

    def accuracy(data: Path, **options: str) -> float:
        run = Run(_with(config, data, seed, **options), folder / "train", quiet=True)
        run.prepare()
        network = run.fit(run.sample("train"))
        answers = run.answer(network, "test")
        truth = dict(zip(frame["id"], true, strict=True))
        return float(
            np.mean(
                [
                    label == truth[row_id]
                    for row_id, label in zip(answers.ids, answers.labels, strict=True)
                ]
            )
        )

    return {
        "auroc": float(roc_auc_score(wrong, doubt)),
        "precision at recall 0.8": float(precision[recall >= 0.8].max()),
        "as they are": accuracy(noisy),
        "relabelled": accuracy(noisy, suspicious=str(suspicious)),
        "dropped": accuracy(noisy, suspicious=str(suspicious), wrong_labels="drop"),
        "true labels": accuracy(right),
    }


def _with(config: Config, table: Path, seed: int, **options: str) -> Config:
    data = dataclasses.replace(config.data, table=str(table), **options)
    train = dataclasses.replace(config.train, seed=seed)
    return dataclasses.replace(config, data=data, train=train)


if __name__ == "__main__":
    main()

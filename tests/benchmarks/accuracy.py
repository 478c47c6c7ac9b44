"""Accuracy of the default configuration beside what else one could build, cross-validated.

    python tests/benchmarks/accuracy.py --data products.csv --label category \
        --ignore subcategory,category_path --seeds 0,1,2 --out accuracy.json

All tools see the same folds (5, stratified, one set a seed) and are measured on
the same rows, which none of them was trained or tuned on. `taxofuse` goes the way
of `taxofuse run`: it trains on three of the four training folds, weighs its votes
on the fourth, and trains again on all four.
"""

from __future__ import annotations

import argparse
import dataclasses
import tempfile
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score, f1_score
from sklearn.model_selection import StratifiedKFold
from sklearn.svm import LinearSVC
from table import print_table, write_figures

from trainer.config import Config, apply_overrides, load_config
from trainer.preprocessing import build_branches
from trainer.run import Run

NUM_FOLDS = 5


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", required=True)
    parser.add_argument("--label", required=True)
    parser.add_argument("--ignore", default="")
    parser.add_argument("--config", default="default")
    parser.add_argument("--set", action="append", default=[])
    parser.add_argument("--seeds", default="0,1,2")
    parser.add_argument("--text", default="title,description", help="columns of the baseline")
    parser.add_argument("--out", type=Path)
    args = parser.parse_args()
    data = [f"data.table={args.data}", f"data.label={args.label}", f"data.ignore={args.ignore}"]
    config = apply_overrides(load_config(args.config), [*data, *args.set])
    scores: dict[str, list[tuple[float, float]]] = {}
    for seed in map(int, args.seeds.split(",")):
        with tempfile.TemporaryDirectory() as folder:
            for tool, figures in measure(config, seed, Path(folder), args.text.split(",")):
                scores.setdefault(tool, []).append(figures)
                print(f"seed {seed}: {tool}: accuracy {figures[0]:.4f}, macro F1 {figures[1]:.4f}")
    summary = {
        tool: {
            "accuracy": float(np.mean([accuracy for accuracy, _ in figures])),
            "accuracy_sd": float(np.std([accuracy for accuracy, _ in figures])),
            "macro_f1": float(np.mean([f1 for _, f1 in figures])),
            "macro_f1_sd": float(np.std([f1 for _, f1 in figures])),
            "seeds": len(figures),
        }
        for tool, figures in scores.items()
    }
    print_table(
        ["tool", "accuracy", "macro F1"],
        [
            [
                tool,
                f"{of['accuracy']:.4f} ± {of['accuracy_sd']:.4f}",
                f"{of['macro_f1']:.4f} ± {of['macro_f1_sd']:.4f}",
            ]
            for tool, of in summary.items()
        ],
    )
    asked = {"label": args.label, "config": args.config, "set": args.set, "folds": NUM_FOLDS}
    write_figures(args.out, {**asked, "tools": summary})


def measure(
    config: Config, seed: int, folder: Path, text_columns: list[str]
) -> Iterator[tuple[str, tuple[float, float]]]:
    """Yields the accuracy and macro F1 of each tool over the folds of one seed."""
    train = dataclasses.replace(config.train, seed=seed, study=False)
    run = Run(dataclasses.replace(config, train=train), folder, quiet=True)
    run.prepare(draw_splits=lambda labels, groups: folds(labels, seed))
    labels = np.array(run.catalogue.labels)
    splits = run.catalogue.splits
    names = sorted(set(splits.tolist()))
    # The records hold the rows fold by fold.
    order = np.concatenate([run.catalogue.rows(name) for name in names])
    frame = run.catalogue.table.frame
    texts = np.array([" ".join(row) for row in frame[text_columns].astype(str).to_numpy()])

    def cross_validate(answer: Callable[[str], np.ndarray]) -> tuple[float, float]:
        answers = np.empty(len(labels), object)
        for name in names:
            answers[splits == name] = answer(name)
        return accuracy_score(labels, answers), f1_score(labels, answers, average="macro")

    def words(fold: str) -> np.ndarray:
        rows, held_out = splits != fold, splits == fold
        vectorizer = TfidfVectorizer(ngram_range=(1, 2))
        model = LinearSVC().fit(vectorizer.fit_transform(texts[rows]), labels[rows])
        return model.predict(vectorizer.transform(texts[held_out]))

    def fused(fold: str) -> np.ndarray:
        others = [name for name in names if name != fold]
        first = run.fit(splits=others[:-1], eval_splits=others[-1:])
        final = run.fit(
            splits=others, eval_splits=(), epochs=first.epochs, vote_weights=first.vote_weights
        )
        return np.array(run.answer(final, fold).labels)

    yield f"taxofuse, {len(run.catalogue.inputs)} inputs", cross_validate(fused)
    yield "TF-IDF(1,2) + LinearSVC, " + " + ".join(text_columns), cross_validate(words)
    for title, kinds in {
        "text": ("text",),
        "picture": ("image",),
        "both": ("text", "image"),
    }.items():
        embedded = _embeddings(run, kinds, names)
        features = np.empty_like(embedded)
        features[order] = embedded

        def probe(fold: str, features: np.ndarray = features) -> np.ndarray:
            rows, held_out = splits != fold, splits == fold
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", ConvergenceWarning)
                model = LogisticRegression(C=10.0, max_iter=500).fit(
                    10 * features[rows], labels[rows]
                )
            return model.predict(10 * features[held_out])

        yield f"linear probe of frozen embeddings, {title}", cross_validate(probe)


def folds(labels: list[str], seed: int) -> np.ndarray:
    """Draws the fold of each row, stratified by the top level."""
    top = [label.split(" > ")[0] for label in labels]
    fold_of = np.empty(len(labels), object)
    splitter = StratifiedKFold(NUM_FOLDS, shuffle=True, random_state=seed)
    for index, (_, held_out) in enumerate(splitter.split(top, top)):
        fold_of[held_out] = f"fold{index}"
    return fold_of.astype(str)


def _embeddings(run: Run, kinds: tuple[str, ...], names: list[str]) -> np.ndarray:
    """Returns the embeddings of encoders that learned nothing from these rows, `(rows, dim)`."""
    branches = [
        branch
        for branch in build_branches(run.catalogue.inputs, run.config.model.encoders)
        if branch.input.kind in kinds and branch.encoder.pretrained and not branch.encoder.adapts
    ]
    arrays = run.store.arrays(branches, run.store.build_encoders(branches), names, ())
    return np.concatenate([np.asarray(arrays[branch.name]) for branch in branches], axis=1)


if __name__ == "__main__":
    main()

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
import functools
import tempfile
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from scipy.sparse import csr_matrix, hstack
from sklearn.exceptions import ConvergenceWarning
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score, f1_score
from sklearn.model_selection import StratifiedKFold
from sklearn.svm import LinearSVC
from table import print_table, write_figures

from trainer.config import apply_overrides, load_config
from trainer.preprocessing import build_branches
from trainer.run import Run
from trainer.sample import Sample

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
    parser.add_argument("--title", default="title", help="read twice by the stronger one")
    parser.add_argument("--out", type=Path)
    args = parser.parse_args()
    data = [f"data.table={args.data}", f"data.label={args.label}", f"data.ignore={args.ignore}"]
    config = apply_overrides(load_config(args.config), [*data, *args.set])
    answers: dict[str, list[np.ndarray]] = {}
    with tempfile.TemporaryDirectory() as folder:
        run = Run(config, Path(folder), quiet=True)
        run.prepare()
        labels = np.array(run.catalogue.labels)
        for seed in map(int, args.seeds.split(",")):
            for tool, found in measure(run, seed, args.text.split(","), args.title.split(",")):
                answers.setdefault(tool, []).append(found)
                print(f"seed {seed}: {tool}: {_shown(figures(labels, [found]))}", flush=True)
    ours = next(iter(answers))
    summary = {tool: figures(labels, found) for tool, found in answers.items()}
    for tool in list(answers)[1:]:
        summary[tool]["paired"] = paired_difference(labels, answers[ours], answers[tool])
    print_table(
        ["tool", "accuracy", "macro F1", "taxofuse is ahead by (95 % interval)"],
        [
            [
                tool,
                f"{of['accuracy']:.4f} ± {of['accuracy_sd']:.4f}",
                f"{of['macro_f1']:.4f} ± {of['macro_f1_sd']:.4f}",
                "; ".join(_shown_interval(name, by) for name, by in of.get("paired", {}).items()),
            ]
            for tool, of in summary.items()
        ],
    )
    asked = {"label": args.label, "config": args.config, "set": args.set, "folds": NUM_FOLDS}
    write_figures(args.out, {**asked, "seeds": args.seeds, "tools": summary})


def figures(labels: np.ndarray, answers: list[np.ndarray]) -> dict[str, Any]:
    """Returns mean and deviation over the seeds."""
    accuracies = [accuracy_score(labels, found) for found in answers]
    f1s = [f1_score(labels, found, average="macro") for found in answers]
    return {
        "accuracy": float(np.mean(accuracies)),
        "accuracy_sd": float(np.std(accuracies)),
        "macro_f1": float(np.mean(f1s)),
        "macro_f1_sd": float(np.std(f1s)),
    }


def paired_difference(
    labels: np.ndarray, ours: list[np.ndarray], theirs: list[np.ndarray], resamples: int = 2000
) -> dict[str, tuple[float, float, float]]:
    """Returns difference, lower and upper bound: products resampled, all seeds together."""
    names, flat = np.unique(np.concatenate([labels, *ours, *theirs]), return_inverse=True)
    parts = flat.reshape(-1, len(labels))
    true, mine, other = parts[0], parts[1 : 1 + len(ours)], parts[1 + len(ours) :]

    def difference(rows: np.ndarray) -> tuple[float, float]:
        ahead = [_score(true[rows], found[rows], len(names)) for found in mine]
        behind = [_score(true[rows], found[rows], len(names)) for found in other]
        return tuple(np.mean(ahead, axis=0) - np.mean(behind, axis=0))

    rng = np.random.default_rng(0)
    rows = np.arange(len(true))
    drawn = np.array([difference(rng.choice(rows, len(rows))) for _ in range(resamples)])
    low, high = np.percentile(drawn, [2.5, 97.5], axis=0)
    return {
        name: (float(difference(rows)[i]), float(low[i]), float(high[i]))
        for i, name in enumerate(("accuracy", "macro F1"))
    }


def _score(true: np.ndarray, found: np.ndarray, num_classes: int) -> tuple[float, float]:
    """Returns accuracy and macro F1 over the classes that occur."""
    right = np.bincount(true[true == found], minlength=num_classes)
    total = np.bincount(true, minlength=num_classes) + np.bincount(found, minlength=num_classes)
    return float(np.mean(true == found)), float(np.mean(2 * right[total > 0] / total[total > 0]))


def _shown(of: dict[str, Any]) -> str:
    return f"accuracy {of['accuracy']:.4f}, macro F1 {of['macro_f1']:.4f}"


def _shown_interval(name: str, by: tuple[float, float, float]) -> str:
    return f"{name} {100 * by[0]:+.1f} ({100 * by[1]:+.1f} to {100 * by[2]:+.1f})"


def measure(
    run: Run, seed: int, text_columns: list[str], title_columns: list[str]
) -> Iterator[tuple[str, np.ndarray]]:
    """Yields the answers of each tool to all rows over the folds of one seed."""
    train = dataclasses.replace(run.config.train, seed=seed)
    run.config = dataclasses.replace(run.config, train=train)
    labels = np.array(run.catalogue.labels)
    splits = folds(labels, seed)
    names = sorted(set(splits))
    frame = run.catalogue.table.frame
    texts, titles = (
        np.array([" ".join(row) for row in frame[columns].astype(str).to_numpy()])
        for columns in (text_columns, title_columns)
    )

    def cross_validate(answer: Callable[[str], np.ndarray]) -> np.ndarray:
        answers = np.empty(len(labels), labels.dtype)
        for name in names:
            answers[splits == name] = answer(name)
        return answers

    def words(fold: str) -> np.ndarray:
        rows, held_out = splits != fold, splits == fold
        vectorizer = TfidfVectorizer(ngram_range=(1, 2))
        model = LinearSVC().fit(vectorizer.fit_transform(texts[rows]), labels[rows])
        return model.predict(vectorizer.transform(texts[held_out]))

    def strong(fold: str, extra: np.ndarray | None = None) -> np.ndarray:
        rows, held_out = splits != fold, splits == fold
        fitted, asked = [], []
        for weight, words_of, options in (
            (1, titles, {"ngram_range": (1, 2)}),
            (2, texts, {"ngram_range": (1, 2)}),
            (2, texts, {"ngram_range": (2, 5), "analyzer": "char_wb", "min_df": 2}),
        ):
            vectorizer = TfidfVectorizer(sublinear_tf=True, **options)
            fitted.append(weight * vectorizer.fit_transform(words_of[rows]))
            asked.append(weight * vectorizer.transform(words_of[held_out]))
        if extra is not None:
            fitted.append(csr_matrix(2 * extra[rows]))
            asked.append(csr_matrix(2 * extra[held_out]))
        model = LinearSVC(C=3).fit(hstack(fitted).tocsr(), labels[rows])
        return model.predict(hstack(asked).tocsr())

    def sample(*folds: str) -> Sample:
        rows = np.flatnonzero(np.isin(splits, folds))
        return Sample.of(rows, run.catalogue.class_ids[rows])

    def fused(fold: str) -> np.ndarray:
        others = [name for name in names if name != fold]
        first = run.fit(sample(*others[:-1]), sample(*others[-1:]))
        final = run.fit(sample(*others), epochs=first.epochs, vote_weights=first.vote_weights)
        votes, _ = run.vote(final, sample(fold).rows)
        return np.array(run.catalogue.class_names)[final.pool(votes).argmax(axis=1)]

    yield f"taxofuse, {len(run.catalogue.inputs)} inputs", cross_validate(fused)
    yield "TF-IDF(1,2) + LinearSVC, " + " + ".join(text_columns), cross_validate(words)
    yield "TF-IDF of words and characters + LinearSVC", cross_validate(strong)
    for title, kinds in {
        "text": ("text",),
        "picture": ("image",),
        "both": ("text", "image"),
    }.items():
        features = _embeddings(run, kinds)
        if title != "picture":
            yield (
                f"TF-IDF of words and characters + frozen embeddings ({title}) + LinearSVC",
                cross_validate(functools.partial(strong, extra=features)),
            )

        def probe(fold: str, features: np.ndarray = features) -> np.ndarray:
            rows, held_out = splits != fold, splits == fold
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", ConvergenceWarning)
                model = LogisticRegression(C=10.0, max_iter=500).fit(
                    10 * features[rows], labels[rows]
                )
            return model.predict(10 * features[held_out])

        yield f"linear probe of frozen embeddings, {title}", cross_validate(probe)


def folds(labels: np.ndarray, seed: int) -> np.ndarray:
    """Draws the fold of each row, stratified by the top level."""
    top = [label.split(" > ")[0] for label in labels]
    fold_of = np.empty(len(labels), object)
    splitter = StratifiedKFold(NUM_FOLDS, shuffle=True, random_state=seed)
    for index, (_, held_out) in enumerate(splitter.split(top, top)):
        fold_of[held_out] = f"fold{index}"
    return fold_of.astype(str)


def _embeddings(run: Run, kinds: tuple[str, ...]) -> np.ndarray:
    """Returns the embeddings of encoders that learned nothing from these rows, `(rows, dim)`."""
    branches = [
        branch
        for branch in build_branches(run.catalogue.inputs, run.config.model.encoders)
        if branch.input.kind in kinds and branch.encoder.pretrained and not branch.encoder.adapts
    ]
    arrays = run.store.arrays(branches, run.store.build_encoders(branches))
    rows = np.arange(len(run.catalogue.ids))
    return np.concatenate([arrays[branch.name][rows] for branch in branches], axis=1)


if __name__ == "__main__":
    main()

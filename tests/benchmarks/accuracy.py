"""Accuracy of the default configuration beside what else one could build, cross-validated.

    python tests/benchmarks/accuracy.py --data products.csv --label category \
        --ignore subcategory,category_path --seeds 0,1,2 --out accuracy.json

All tools see the same folds (5, stratified, one set a seed) and are measured on
the same rows, which none of them was trained or tuned on. `taxofuse` goes the way
of `taxofuse run`: it trains on three of the four training folds, weighs its votes
on the fourth, and trains again on all four.
"""

from __future__ import annotations

import functools
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from cross_validation import (
    NUM_FOLDS,
    accuracy_and_f1,
    build_parser,
    cross_validate,
    draw_folds,
    fit_fold,
    open_run,
    paired_difference,
    shown_interval,
)
from scipy.sparse import csr_matrix, hstack
from sklearn.exceptions import ConvergenceWarning
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.svm import LinearSVC
from table import print_table, write_figures

from trainer.overrides import apply_overrides
from trainer.preprocessing import build_branches
from trainer.run import Run


def main() -> None:
    parser = build_parser(__doc__)
    parser.add_argument("--text", default="title,description", help="columns of the baseline")
    parser.add_argument("--stratify", default="top", choices=("top", "label"), help="folds by this")
    parser.add_argument("--title", default="title", help="read twice by the stronger one")
    args = parser.parse_args()
    answers: dict[str, list[np.ndarray]] = {}
    with open_run(args) as run:
        true = run.catalogue.class_ids
        for seed in map(int, args.seeds.split(",")):
            folds = draw_folds(run.catalogue.labels, seed, args.stratify)
            columns = args.text.split(","), args.title.split(",")
            for tool, found in measure(run, seed, folds, *columns):
                answers.setdefault(tool, []).append(found)
                print(f"seed {seed}: {tool}: {accuracy_and_f1(true, found)}", flush=True)
        minutes = cpu_minutes(run)
    ours = next(iter(answers))
    summary = {tool: figures(true, found) for tool, found in answers.items()}
    for tool in list(answers)[1:]:
        summary[tool]["paired"] = paired_difference(
            accuracy_and_f1, true, answers[ours], answers[tool]
        )
    print_table(
        ["tool", "accuracy", "macro F1", "taxofuse is ahead by (95 % interval)"],
        [
            [
                tool,
                f"{of['accuracy']:.4f} ± {of['accuracy_sd']:.4f}",
                f"{of['macro_f1']:.4f} ± {of['macro_f1_sd']:.4f}",
                "; ".join(
                    f"{name} {shown_interval(by)}" for name, by in of.get("paired", {}).items()
                ),
            ]
            for tool, of in summary.items()
        ],
    )
    print("CPU minutes of a training:", ", ".join(f"{of:.1f} {on}" for on, of in minutes.items()))
    asked = {"label": args.label, "config": args.config, "set": args.set, "folds": NUM_FOLDS}
    asked |= {"seeds": args.seeds, "stratify": args.stratify}
    write_figures(args.out, {**asked, "tools": summary, "cpu_minutes": minutes})


def cpu_minutes(run: Run) -> dict[str, float]:
    """Returns what training and weighing the votes costs, with no embedding there and with all."""
    config, minutes = run.config, []
    with tempfile.TemporaryDirectory() as folder:
        alone = Run(config, Path(folder), quiet=True)
        alone.prepare()
        for seed in (0, 1):  # the first embeds
            alone.config = apply_overrides(config, [f"train.seed={seed}"])
            began = time.process_time()
            fit_fold(alone, draw_folds(alone.catalogue.labels, seed), 0)
            minutes.append((time.process_time() - began) / 60)
    return dict(zip(("from nothing", "with embeddings reused"), minutes, strict=True))


def figures(true: np.ndarray, answers: list[np.ndarray]) -> dict[str, Any]:
    """Returns mean and deviation over the seeds."""
    by_seed = [accuracy_and_f1(true, found) for found in answers]
    summary: dict[str, Any] = {}
    for name in by_seed[0]:
        values = [of[name] for of in by_seed]
        summary |= {name: float(np.mean(values)), f"{name}_sd": float(np.std(values))}
    return summary


def measure(
    run: Run, seed: int, folds: np.ndarray, text_columns: list[str], title_columns: list[str]
) -> Iterator[tuple[str, np.ndarray]]:
    """Yields the answers of each tool to all rows, class ids, over the folds of one seed."""
    class_ids = run.catalogue.class_ids
    frame = run.catalogue.table.frame
    texts, titles = (
        np.array([" ".join(row) for row in frame[columns].astype(str).to_numpy()])
        for columns in (text_columns, title_columns)
    )

    def in_turns(answer: Callable[[int], np.ndarray]) -> np.ndarray:
        answers = np.empty_like(class_ids)
        for fold in range(NUM_FOLDS):
            answers[folds == fold] = answer(fold)
        return answers

    def words(fold: int) -> np.ndarray:
        rows, held_out = folds != fold, folds == fold
        vectorizer = TfidfVectorizer(ngram_range=(1, 2))
        model = LinearSVC().fit(vectorizer.fit_transform(texts[rows]), class_ids[rows])
        return model.predict(vectorizer.transform(texts[held_out]))

    def strong(fold: int, extra: np.ndarray | None = None) -> np.ndarray:
        rows, held_out = folds != fold, folds == fold
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
        model = LinearSVC(C=3).fit(hstack(fitted).tocsr(), class_ids[rows])
        return model.predict(hstack(asked).tocsr())

    inputs = run.catalogue.inputs
    yield f"taxofuse, {len(inputs)} inputs", cross_validate(run, seed, folds=folds).argmax(axis=1)
    blind = [spec for spec in inputs if spec.kind != "image"]
    if 0 < len(blind) < len(inputs):
        seeing_less = cross_validate(run, seed, folds=folds, inputs=blind)
        yield "taxofuse without pictures", seeing_less.argmax(axis=1)
    yield "TF-IDF(1,2) + LinearSVC, " + " + ".join(text_columns), in_turns(words)
    yield "TF-IDF of words and characters + LinearSVC", in_turns(strong)
    for title, kinds in {
        "text": ("text",),
        "picture": ("image",),
        "both": ("text", "image"),
    }.items():
        features = _embeddings(run, kinds)
        if title != "picture":
            yield (
                f"TF-IDF of words and characters + frozen embeddings ({title}) + LinearSVC",
                in_turns(functools.partial(strong, extra=features)),
            )

        def probe(fold: int, features: np.ndarray = features) -> np.ndarray:
            rows, held_out = folds != fold, folds == fold
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", ConvergenceWarning)
                model = LogisticRegression(C=10.0, max_iter=500).fit(
                    10 * features[rows], class_ids[rows]
                )
            return model.predict(10 * features[held_out])

        yield f"linear probe of frozen embeddings, {title}", in_turns(probe)


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

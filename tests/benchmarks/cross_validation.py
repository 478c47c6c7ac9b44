"""Cross-validation for benchmarks: one set of folds a seed for all, and paired intervals."""

from __future__ import annotations

import argparse
import tempfile
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.model_selection import StratifiedKFold

from trainer.config import Config, load_config
from trainer.network import Network
from trainer.overrides import apply_overrides
from trainer.run import Run
from trainer.sample import Sample

NUM_FOLDS = 5

Measures = Callable[[np.ndarray, np.ndarray], dict[str, float]]
"""From true and answered class ids `(rows,)` to figures by name."""


def build_parser(doc: str) -> argparse.ArgumentParser:
    """Makes a parser of what all cross-validated benchmarks want to know."""
    parser = argparse.ArgumentParser(description=doc.splitlines()[0])
    parser.add_argument("--data", required=True)
    parser.add_argument("--label", required=True)
    parser.add_argument("--ignore", default="")
    parser.add_argument("--config", default="default")
    parser.add_argument("--set", action="append", default=[])
    parser.add_argument("--seeds", default="0,1,2")
    parser.add_argument("--out", type=Path)
    return parser


def build_config(args: argparse.Namespace) -> Config:
    """Returns the configuration that was asked for."""
    data = [f"data.table={args.data}", f"data.label={args.label}", f"data.ignore={args.ignore}"]
    return apply_overrides(load_config(args.config), [*data, *args.set])


@contextmanager
def open_run(args: argparse.Namespace) -> Iterator[Run]:
    """Prepares a run in a folder of its own; what it embeds serves all folds and settings."""
    with tempfile.TemporaryDirectory() as folder:
        run = Run(build_config(args), Path(folder), quiet=True)
        run.prepare()
        yield run


def draw_folds(labels: Sequence[str], seed: int, stratify: str = "top") -> np.ndarray:
    """Draws the fold of each row, `(rows,)` of 0 to 4, stratified by the top level or the label."""
    strata = [label.split(" > ")[0] if stratify == "top" else label for label in labels]
    folds = np.empty(len(strata), int)
    splitter = StratifiedKFold(NUM_FOLDS, shuffle=True, random_state=seed)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "The least populated class")
        for fold, (_, held_out) in enumerate(splitter.split(strata, strata)):
            folds[held_out] = fold
    return folds


def fit_fold(
    run: Run, folds: np.ndarray, fold: int, shown: np.ndarray | None = None, **options: Any
) -> Network:
    """Trains on all folds but one, as `taxofuse run` does.

    Votes are weighed on the last of the four, by a network that was trained on
    the other three; then another one is trained on all four.

    Args:
        run: What `open_run` gave.
        folds: Fold of each row.
        fold: int. The one that is left out.
        shown: Positions of the rows in the feature store, where they are others.
        options: See `Run.fit`.
    """
    class_ids = run.catalogue.class_ids
    shown = np.arange(len(class_ids)) if shown is None else shown
    others = [other for other in range(NUM_FOLDS) if other != fold]

    def sample(*chosen: int) -> Sample:
        rows = np.isin(folds, chosen)
        return Sample.of(shown[rows], class_ids[rows])

    encoders = run.config.model.encoders
    num_branches = sum(len(encoders.get(spec.kind, {})) for spec in run.catalogue.inputs)
    if num_branches == 1 and not run.config.train.patience:
        # There is nothing to choose: no other branch to weigh, and the epochs are given.
        return run.fit(sample(*others), **options)
    first = run.fit(sample(*others[:-1]), sample(others[-1]), **options)
    return run.fit(sample(*others), epochs=first.epochs, vote_weights=first.vote_weights, **options)


def cross_validate(
    run: Run,
    seed: int,
    settings: Sequence[str] = (),
    folds: np.ndarray | None = None,
    **options: Any,
) -> np.ndarray:
    """Answers each row with a network that has not seen it.

    Args:
        run: What `open_run` gave.
        seed: int. Of the folds and of the training.
        settings: Such as `"train.l2=2"`, for these networks only.
        folds: Fold of each row; drawn by default.
        options: See `Run.fit`.

    Returns:
        Float array `(rows, num_classes)`, probabilities.
    """
    folds = draw_folds(run.catalogue.labels, seed) if folds is None else folds
    scores = np.empty((len(folds), len(run.catalogue.class_names)), np.float32)
    config = run.config
    run.config = apply_overrides(config, [*settings, f"train.seed={seed}"])
    for fold in range(NUM_FOLDS):
        network, held_out = fit_fold(run, folds, fold, **options), np.flatnonzero(folds == fold)
        scores[held_out] = network.pool(run.vote(network, held_out)[0])
    run.config = config
    return scores


def paired_difference(
    measures: Measures,
    true: np.ndarray,
    ours: Sequence[np.ndarray],
    theirs: Sequence[np.ndarray],
    resamples: int = 2000,
) -> dict[str, tuple[float, float, float]]:
    """Returns by figure how far we are ahead, and its 95 % interval.

    Args:
        measures: Of the answers of one seed.
        true: Class ids `(rows,)`.
        ours: Answered class ids `(rows,)`, a seed each.
        theirs: The same.
        resamples: int. Tables that are drawn from this one, rows of all seeds
            and both sides together.

    Returns:
        `(difference, lower, upper)` of the means over the seeds.
    """

    def difference(rows: np.ndarray) -> np.ndarray:
        ahead, behind = (
            np.mean([list(measures(true[rows], found[rows]).values()) for found in side], axis=0)
            for side in (ours, theirs)
        )
        return ahead - behind

    rng = np.random.default_rng(0)
    rows = np.arange(len(true))
    drawn = [difference(rng.choice(rows, len(rows))) for _ in range(resamples)]
    low, high = np.percentile(drawn, [2.5, 97.5], axis=0)
    names = measures(true, ours[0])
    figures = zip(*(part.tolist() for part in (difference(rows), low, high)), strict=True)
    return dict(zip(names, figures, strict=True))


def accuracy_and_f1(true: np.ndarray, found: np.ndarray) -> dict[str, float]:
    """Returns accuracy, and F1 averaged over the classes that occur in truth or answers."""
    f1 = class_f1(true, found, int(max(true.max(), found.max())) + 1)
    return {"accuracy": float(np.mean(true == found)), "macro_f1": float(np.nanmean(f1))}


def class_f1(true: np.ndarray, found: np.ndarray, num_classes: int) -> np.ndarray:
    """Returns F1 `(num_classes,)`, NaN where a class occurs neither in truth nor in answers."""
    right, of_truth, of_answers = (
        np.bincount(ids, minlength=num_classes) for ids in (true[true == found], true, found)
    )
    with np.errstate(invalid="ignore"):
        return 2 * right / (of_truth + of_answers)


def shown_interval(by: tuple[float, float, float]) -> str:
    """Returns a difference in points with its interval."""
    return f"{100 * by[0]:+.1f} ({100 * by[1]:+.1f} to {100 * by[2]:+.1f})"

"""Which slice of a catalogue each row belongs to: language, class size, price, inputs."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from itertools import pairwise
from pathlib import Path

import numpy as np
import pandas as pd

from trainer.answers import Answers

TAIL, MANY = 20, 100
"""Training rows a class: up to 20 is few, over 100 many (Liu et al., 2019, arXiv:1904.05160)."""

_HAN = re.compile(r"[\u3400-\u4dbf\u4e00-\u9fff]")
_KANA = re.compile(r"[\u3040-\u30ff]")
_WORD = re.compile(r"[^\W\d_]+")


def read_slices(path: str, ids: Sequence[str]) -> dict[str, list[str]]:
    """Reads a table of slices: by column one value a row, `unknown` where it has none.

    Raises:
        FileNotFoundError, ValueError: if it is not there, or has no column `id`.
    """
    if not Path(path).is_file():
        raise FileNotFoundError(f"data.slices: no such file: {path}")
    frame = pd.read_csv(path, dtype=str, keep_default_na=False)
    if "id" not in frame.columns:
        raise ValueError(
            f"data.slices must have a column `id`. Received: {path} with {list(frame.columns)}."
        )
    frame = frame.drop_duplicates("id").set_index("id").reindex(list(ids)).fillna("unknown")
    return {name: frame[name].tolist() for name in frame.columns}


def default_slices(
    answers: Answers,
    true_labels: Sequence[str | None],
    texts: Sequence[str] | None,
    prices: Sequence[float] | np.ndarray | None,
    train_class_counts: Mapping[str, int],
) -> dict[str, list[str]]:
    """Makes the slicings that every evaluation reports.

    Args:
        answers: What the model said; its `present` makes one slicing an input.
        true_labels: One a row; a row belongs to the size of its true class.
        texts: All text of each row in one string; None where there is no text input.
        prices: Price of each row, NaN where there is none; None where there
            is no price input.
        train_class_counts: Training rows by label.

    Returns:
        By name of the slicing one value a row, as `evaluate_slices` takes it.
    """
    slices = {
        f"input {name}": ["present" if flag else "absent" for flag in flags]
        for name, flags in answers.present.items()
    }
    if texts is not None:
        slices["language"] = [language(text) for text in texts]
    slices["class size"] = [
        class_size(train_class_counts.get(label or "", 0)) for label in true_labels
    ]
    if prices is not None:
        slices["price range"] = price_ranges(np.asarray(prices, dtype=float))
    return slices


def language(text: str) -> str:
    """Returns `"Chinese"`, `"other"` or `"no text"`, by share of script.

    A Han character counts as much as a whole word of another script, so that
    a Chinese title stays Chinese with a Latin brand and model in it. Kana
    makes a text Japanese, which is `"other"`.
    """
    num_han = len(_HAN.findall(text))
    num_words = len(_WORD.findall(_HAN.sub(" ", text)))
    if num_han + num_words == 0:
        return "no text"
    return "Chinese" if num_han >= num_words and not _KANA.search(text) else "other"


def class_size(num_training_rows: int) -> str:
    """Returns the part of the long tail that a class belongs to."""
    if num_training_rows == 0:
        return "not in training"
    if num_training_rows <= TAIL:
        return f"few (up to {TAIL} rows)"
    if num_training_rows <= MANY:
        return f"medium ({TAIL + 1} to {MANY} rows)"
    return f"many (over {MANY} rows)"


def price_ranges(prices: np.ndarray) -> list[str]:
    """Cuts prices at their quartiles.

    Args:
        prices: float array `(rows,)`; NaN is no price.

    Returns:
        One range a row, such as `"Q1: up to 325"`; fewer than four ranges
        where quartiles fall together; `"no price"` for NaN.
    """
    known = prices[np.isfinite(prices)]
    if known.size == 0:
        return ["no price"] * len(prices)
    cuts = np.unique(np.quantile(known, (0.25, 0.5, 0.75), method="lower"))
    cuts = cuts[cuts < known.max()]  # a cut at the highest price would leave a range empty
    shown = [f"{cut:,.0f}" if cut >= 100 else f"{cut:.2f}" for cut in cuts]
    names = [f"up to {high}" for high in shown[:1]]
    names += [f"{low} to {high}" for low, high in pairwise(shown)]
    names += [f"over {low}" for low in shown[-1:]] or ["all the same"]
    return [
        f"Q{index + 1}: {names[index]}" if np.isfinite(price) else "no price"
        for price, index in zip(prices, np.searchsorted(cuts, prices), strict=True)
    ]

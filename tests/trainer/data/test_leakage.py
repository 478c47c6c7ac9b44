import numpy as np
import pandas as pd
import pytest

from trainer.data.columns import infer_columns
from trainer.data.labels import read_labels
from trainer.data.leakage import find_leaks
from trainer.data.table import read_table

TAXONOMY = {
    "Kitchen & Dining": ["Coffee Mugs", "Cookware", "Bottles"],
    "Watches": ["Wrist Watches", "Pocket Watches"],
    "Baby Care": ["Infant Wear", "Toys", "Strollers", "Feeding"],
}
ROWS = 400


@pytest.fixture
def shop():
    """Honest evidence and six ways of giving the label away."""
    rng = np.random.default_rng(3)
    tops = rng.choice(list(TAXONOMY), ROWS)
    subs = [rng.choice(TAXONOMY[top]) for top in tops]
    codes = {sub: str(i) for i, sub in enumerate(sub for s in TAXONOMY.values() for sub in s)}
    brands = {top: [f"{top[:3]}{i}" for i in range(40)] for top in TAXONOMY}
    slugs = [top.lower().replace(" & ", "-").replace(" ", "-") for top in tops]
    return pd.DataFrame(
        {
            "title": [f"{sub} number {i} for you" for i, sub in enumerate(subs)],
            "description": [f"Shop / offers / {s} and {rng.integers(99)} more" for s in subs],
            # Tells the top level in 19 of 20 rows, as real brands do.
            "brand": [rng.choice(brands[t if rng.random() < 0.95 else "Watches"]) for t in tops],
            "material": rng.choice(["steel", "glass", "cotton"], ROWS),
            "gift": np.where((tops == "Watches") & (rng.random(ROWS) < 0.8), "yes", "no"),
            "price": [str(rng.integers(100, 900) + 0.5) for _ in tops],
            "stock": [str(rng.integers(1, 60)) for _ in tops],
            "top": tops,
            "sub": subs,
            "path": [f"{t} > {s} > {rng.choice(WORDS)}" for t, s in zip(tops, subs, strict=True)],
            "breadcrumb": [f"home/{slug}/{rng.integers(1000)}" for slug in slugs],
            "tags": [f"new, {sub.lower()}, {rng.choice(WORDS)}" for sub in subs],
            "code": [codes[sub] for sub in subs],
            "leaf": [f"{codes[s]}-{'abcdefgh'[rng.integers(8)]}" for s in subs],
        }
    )


WORDS = ["red", "blue", "green", "large", "small"]
TELLS_PATH = {"path", "breadcrumb", "tags", "code", "leaf"}


def _leaks(frame, *labels):
    table = read_table(frame)
    columns = infer_columns(table, labels=labels)
    return find_leaks(table, columns, read_labels(table, labels))


def test_finer_levels_paths_and_codes_tell_the_top_level(shop):
    leaks = _leaks(shop, "top")
    assert set(leaks) == TELLS_PATH | {"sub"}
    assert "right in 100.0% of 400 rows" in leaks["sub"]
    assert "9 values" in leaks["sub"]
    assert "paths that contain the label, in 100.0% of 400 rows" in leaks["path"]


def test_both_levels(shop):
    assert set(_leaks(shop, "top", "sub")) == TELLS_PATH


def test_a_coarser_level_is_told_by_the_label(shop):
    leaks = _leaks(shop, "sub")
    # The bread crumbs hold the upper level only, each with a number of its own.
    assert set(leaks) == TELLS_PATH - {"breadcrumb"} | {"top"}
    assert "another level of the taxonomy" in leaks["top"]
    assert "100.0% of 400 rows" in leaks["top"]


def test_levels_of_a_column_of_paths(shop):
    table = read_table(shop[["title", "top", "sub", "path", "material"]])
    columns = infer_columns(table, labels=["path"])
    leaks = find_leaks(table, columns, read_labels(table, ["path"], separator=">"))
    assert set(leaks) == {"top", "sub"}


def test_a_few_wrong_labels_do_not_hide_a_code(shop):
    wrong = shop.index[::100]
    shop.loc[wrong, "top"] = shop.loc[wrong, "top"].map(
        {"Watches": "Baby Care", "Baby Care": "Watches", "Kitchen & Dining": "Watches"}
    )
    leaks = _leaks(shop, "top")
    assert "code" in leaks
    assert "right in 99.0% of 400 rows" in leaks["code"]


def test_the_figure_is_that_of_guessing_from_the_other_rows():
    # 30 rows of `x`, one of them wrong; 20 rows of `y`; 10 unique values that tell nothing.
    code = ["x"] * 30 + ["y"] * 20 + [f"z{i} q" for i in range(10)]
    label = ["a"] * 29 + ["b"] + ["b"] * 20 + ["a"] * 10
    frame = pd.DataFrame({"code": code, "label": label, "t": [f"w{i} v" for i in range(60)]})
    assert _leaks(frame, "label") == {}  # 49 of 50 right, but 0.6 of it by always guessing `a`.
    frame.loc[29, "label"] = "a"
    assert "100.0% of 50 rows" in _leaks(frame, "label")["code"]


def test_titles_and_brands_are_evidence_even_when_they_decide():
    labels = ["a", "b", "c"] * 20
    frame = pd.DataFrame(
        {"title": labels, "brand": labels, "maker": labels, "twin": labels, "label": labels}
    )
    assert set(_leaks(frame, "label")) == {"twin"}


def test_few_rows_and_rows_without_label_prove_nothing():
    frame = pd.DataFrame({"code": ["x", "y"] * 9, "label": ["a", "b"] * 9})
    assert _leaks(frame, "label") == {}
    frame = pd.DataFrame({"code": ["x", "y"] * 9 + ["z"] * 9, "label": ["a", "b"] * 9 + [""] * 9})
    assert _leaks(frame, "label") == {}
    assert _leaks(frame.assign(label=""), "label") == {}

"""A run with views: learned from, never judged by, and shown."""

from __future__ import annotations

import re
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

import trainer.run
from trainer.config import load_config
from trainer.overrides import apply_overrides
from trainer.reporting import evaluate_run
from trainer.run import Run
from trainer.sample import Sample

VIEWS = 2
SETTINGS = (
    "data.label=category",
    "data.ignore=department,category_path,shelf,colour",
    "model.encoders.text={'tiny_text': {}}",
    "train.head_epochs=2",
    "train.study=False",
    f"augment.views={VIEWS}",
)


def make(shop: Path, workdir: Path, *settings: str) -> Run:
    config = apply_overrides(load_config("tiny"), [f"data.table={shop}", *SETTINGS, *settings])
    return Run(config, workdir, quiet=True)


@pytest.fixture(scope="module")
def run(shop: Path, tmp_path_factory: pytest.TempPathFactory) -> Run:
    made = make(shop, tmp_path_factory.mktemp("augmented"))
    made.prepare()
    return made


def products_of(run: Run, rows: np.ndarray) -> np.ndarray:
    """Returns which row of the table each row of the store shows; -1 for texts of classes."""
    sources = range(len(run.store.sources))
    shown = np.full(sum(len(run.store.positions(source)) for source in sources), -1)
    for source in sources:
        if source not in (1, 2):  # texts of classes, rows without a label
            shown[run.store.positions(source)] = np.arange(len(run.catalogue.ids))
    return shown[rows]


@pytest.mark.parametrize("splits", [["train"], ["eval", "test"], ["train", "eval", "test"]])
def test_views_of_the_rows_to_learn_from_are_learned_from_and_no_others(run, splits, monkeypatch):
    learned = []
    monkeypatch.setattr(
        trainer.run,
        "fit_network",
        lambda *given, watched, **_: learned.append((given[-1], watched)),
    )
    run.fit(run.sample(*splits), run.sample("test"))
    ((sample, watched),) = learned
    shown = products_of(run, sample.rows)
    is_product = shown >= 0
    rows, times = np.unique(shown[is_product], return_counts=True)
    expected = np.flatnonzero(np.isin(run.catalogue.splits, splits))
    assert rows.tolist() == expected.tolist()
    assert (times == 1 + VIEWS).all()
    weights = np.bincount(shown[is_product], sample.weights[is_product])[rows]
    np.testing.assert_allclose(weights, 1, rtol=1e-6)
    classes = run.catalogue.class_ids[shown[is_product]]
    np.testing.assert_array_equal(sample.class_ids[is_product], classes)
    np.testing.assert_array_equal(watched.rows, run.catalogue.rows("test"))


def test_rows_without_labels_are_compared_with_products_and_not_with_views(run, monkeypatch):
    learned, compared = [], []

    def fit(*given, **_):
        learned.append(given[-1])
        return SimpleNamespace()

    def label(run, network, sample, names, unlabeled):
        compared.append(sample + names)
        return Sample.of(unlabeled, np.zeros(len(unlabeled)))

    monkeypatch.setattr(trainer.run, "fit_network", fit)
    monkeypatch.setattr(Run, "_label", label)
    train, unlabeled = run.catalogue.rows("train"), run.catalogue.rows("test")
    run.fit(run.sample("train"), unlabeled=unlabeled)
    assert set(compared[0].rows) == {*train, *run.rows.names.rows}
    assert len(learned[0]) == (1 + VIEWS) * len(train) + len(run.rows.names)
    assert set(learned[1].rows) == {*learned[0].rows, *unlabeled}


def test_the_report_shows_products_and_their_views(run):
    metrics = evaluate_run(run, run.train())
    assert metrics["num_examples"] == len(run.catalogue.rows("test"))
    report = (run.workdir / "report.html").read_text(encoding="utf-8")
    section = report[report.index('<section id="augmentation">') :].partition("</section>")[0]
    products = re.findall(r"<h3>(p\d\d): ", section)
    assert len(products) == 6
    assert set(products) <= {run.catalogue.ids[row] for row in run.catalogue.rows("train")}
    assert section.count('<li class="card">') == len(products) * (1 + VIEWS)
    pictures = re.findall('data:image/jpeg;base64,[^"]+', section)
    assert len(pictures) % (1 + VIEWS) == 0
    assert len(set(pictures)) == len(pictures) > 0


def test_what_does_not_fit_is_refused_before_anything_is_written(shop, tmp_path):
    with pytest.raises(ValueError, match="Did you mean 'word_swap'"):
        make(shop, tmp_path / "w", "augment.operations.text.word_swop={}").prepare()
    assert not (tmp_path / "w").exists()

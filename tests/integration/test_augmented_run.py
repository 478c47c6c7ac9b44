"""A run with views: learned from, never judged by, and shown."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

import trainer.run
from trainer.config import apply_overrides, load_config
from trainer.reporting import evaluate_run
from trainer.run import Run
from trainer.wrong_labels import cross_judge

VIEWS = 2


def make(shop: Path, workdir: Path, *settings: str) -> Run:
    base = [f"data.table={shop}", "data.label=category", f"augment.views={VIEWS}"]
    base += ["data.ignore=department,category_path,shelf", "train.head_epochs=3"]
    config = apply_overrides(load_config("tiny"), [*base, "train.study=False", *settings])
    return Run(config, workdir, quiet=True)


@pytest.fixture
def samples(monkeypatch: pytest.MonkeyPatch) -> list:
    """Collects what every network learns from and watches."""
    seen, fit = [], trainer.run.fit_network

    def spy(inputs, num_classes, config, store, folder, sample, watched, **options):
        seen.append((sample, watched))
        return fit(inputs, num_classes, config, store, folder, sample, watched, **options)

    monkeypatch.setattr(trainer.run, "fit_network", spy)
    return seen


def products_of(run: Run, rows: np.ndarray) -> np.ndarray:
    """Returns which row of the table each row of the store shows; -1 for names of classes."""
    shown = np.full(sum(len(run.store.positions(i)) for i in range(2 + VIEWS)), -1)
    for source in (0, 2, 3):
        shown[run.store.positions(source)] = np.arange(len(run.catalogue.ids))
    return shown[rows]


def test_views_of_training_rows_are_learned_from_and_shown(shop, tmp_path, samples):
    run = make(shop, tmp_path)
    run.prepare()
    network = run.train()
    run.finish()
    splits = run.catalogue.splits
    for sample, watched, trained_on in [
        (*samples[0], ["train"]),
        (*samples[1], ["train", "eval", "test"]),
    ]:
        shown = products_of(run, sample.rows)
        rows, times = np.unique(shown[shown >= 0], return_counts=True)
        assert rows.tolist() == np.flatnonzero(np.isin(splits, trained_on)).tolist()
        assert (times == 1 + VIEWS).all()
        weights = np.bincount(shown[shown >= 0], sample.weights[shown >= 0])[rows]
        np.testing.assert_allclose(weights, 1, rtol=1e-6)
        assert (sample.class_ids[shown >= 0] == run.catalogue.class_ids[shown[shown >= 0]]).all()
        assert (watched.rows < len(splits)).all()
    metrics = evaluate_run(run, network)
    assert metrics["num_examples"] == len(run.catalogue.rows("test"))
    report = (tmp_path / "report.html").read_text(encoding="utf-8")
    section = report[report.index('<section id="augmentation">') :].partition("</section>")[0]
    products = re.findall(r"<h3>(p\d\d): ", section)
    assert set(products) <= {run.catalogue.ids[row] for row in run.catalogue.rows("train")}
    assert section.count('<li class="card">') == len(products) * (1 + VIEWS)
    assert section.count("data:image/jpeg;base64,") >= 2 * (1 + VIEWS)


def test_clean_never_learns_from_views_of_the_rows_it_judges(shop, tmp_path, samples):
    run = make(shop, tmp_path)
    cross_judge(run, num_folds=2)
    assert len(samples) == 2
    learned = [set(products_of(run, sample.rows)) - {-1} for sample, _ in samples]
    assert not learned[0] & learned[1]
    assert len(learned[0] | learned[1]) == len(run.catalogue.ids)


def test_what_does_not_fit_is_refused_before_anything_is_written(shop, tmp_path):
    with pytest.raises(ValueError, match="Did you mean 'word_swap'"):
        make(shop, tmp_path / "w", "augment.operations.text.word_swop={}").prepare()
    assert not (tmp_path / "w").exists()

"""The classifier for Python users."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from trainer import ProductClassifier

LABEL = ("department", "category")


@pytest.fixture(scope="module")
def frame(shop):
    frame = pd.read_csv(shop)
    frame.attrs["folder"] = str(shop.parent)
    return frame


@pytest.fixture(scope="module")
def classifier(frame):
    settings = {
        "train.head_epochs": 8,
        "train.batch_size": 8,
        "train.refit": "never",
        "data.fractions": (0.8, 0.1, 0.1),
        "model.fusion_options": {"projection_dim": 8},
    }
    return ProductClassifier(LABEL, ignore=["colour"], config="tiny", settings=settings).fit(frame)


def test_predicts_every_row_in_order(classifier, frame):
    answers = classifier.predict(frame)
    assert list(answers.columns) == ["id", "label", "confidence", "status", *LABEL]
    assert answers["id"].tolist() == frame["id"].tolist()
    truth = frame["department"] + " > " + frame["category"]
    assert (answers["label"] == truth).mean() > 0.8


def test_probabilities_belong_to_the_classes(classifier, frame):
    scores = classifier.predict_proba(frame)
    assert classifier.classes == ["home > lamps", "worn > shirts", "worn > watches"]
    assert scores.shape == (len(frame), 3)
    np.testing.assert_allclose(scores.sum(axis=1), 1, atol=1e-5)
    answers = classifier.predict(frame)
    assert [classifier.classes[i] for i in scores.argmax(axis=1)] == answers["label"].tolist()
    np.testing.assert_allclose(scores.max(axis=1), answers["confidence"])


def test_takes_rows_of_other_types(classifier):
    """Numbers and gaps as pandas has them, an index of its own, a column less, no picture."""
    frame = pd.DataFrame(
        {"title": ["desk lamp", None, np.nan], "price": [40, np.nan, 1299.0]}, index=[7, 7, 9]
    )
    answers = classifier.predict(frame)
    assert answers["id"].tolist() == ["0", "1", "2"]
    assert "nothing to go by" in answers["status"][1]
    assert answers["label"][0] == "home > lamps"


def test_evaluates_a_labelled_table(classifier, frame, tmp_path):
    metrics = classifier.evaluate(frame, tmp_path / "out")
    truth = (frame["department"] + " > " + frame["category"]).tolist()
    expected = np.mean(
        [a == b for a, b in zip(classifier.predict(frame)["label"], truth, strict=True)]
    )
    assert metrics["accuracy"] == pytest.approx(expected)
    assert (tmp_path / "out" / "report.html").is_file()


def test_saved_and_loaded_answers_the_same(classifier, frame, tmp_path):
    path = classifier.save(tmp_path / "saved")
    assert sorted(child.name for child in path.iterdir()) == [
        "config.json",
        "export",
        "model.keras",
        "preprocessing.json",
    ]
    loaded = ProductClassifier.load(path)
    np.testing.assert_array_equal(loaded.predict_proba(frame), classifier.predict_proba(frame))
    assert loaded.config == classifier.config
    with pytest.raises(FileExistsError, match=r"must be empty. Received: .*saved"):
        classifier.save(path)


def test_loads_a_workdir_of_run(trained, shop):
    loaded = ProductClassifier.load(trained.folder)
    assert loaded.classes == ["home > lamps", "worn > shirts", "worn > watches"]
    assert len(loaded.predict(shop)) == 72


def test_untrained_says_so(frame, tmp_path):
    with pytest.raises(ValueError, match=r"not trained yet: call fit\(\) first"):
        ProductClassifier("category", config="tiny").predict(frame)
    with pytest.raises(FileNotFoundError, match=r"No classifier in .*config\.json is missing"):
        ProductClassifier.load(tmp_path)


def test_wrong_settings_are_refused_at_once():
    with pytest.raises(ValueError, match=r"Did you mean 'head_epochs'\?"):
        ProductClassifier("category", settings={"train.head_epoch": 3})
    with pytest.raises(ValueError, match=r"Did you mean 'tiny'\?"):
        ProductClassifier("category", config="tinny")

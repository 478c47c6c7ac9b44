"""What is said to have decided is what does decide: the demo catalogue knows it."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from trainer.data.table import read_table
from trainer.demo_catalogue.evidence import load_evidence
from trainer.predictor import Predictor


@pytest.fixture(scope="module")
def explained(call, tmp_path_factory):
    """Returns explanations of new products that are answered rightly, with their evidence."""
    folder = tmp_path_factory.mktemp("evidence")
    for name, seed in (("demo", 0), ("new", 1)):
        assert (
            call("demo-data", "--out", folder / name, "--products", 150, "--seed", seed).code == 0
        )
    done = call(
        "run", "--data", folder / "demo" / "products.csv", "--label", "category",
        "--ignore", "subcategory", "--config", "tiny", "--workdir", folder / "run",
    )  # fmt: skip
    assert done.code == 0, done.stderr
    table = read_table(str(folder / "new" / "products.csv"))
    evidence = {of.id: of for of in load_evidence(folder / "new" / "evidence.jsonl")}
    found = Predictor(folder / "run").explain(table, list(evidence))
    return [
        (of, evidence[of.id])
        for of in found
        if evidence[of.id].true_label.split(" > ")[0] == of.label
    ]


def test_the_top_word_is_one_that_decides(explained):
    hits, chances = [], []
    for told, evidence in explained:
        if not evidence.words or evidence.needs == "picture":
            continue
        # Chinese words are told of by character.
        parts = {part for word in evidence.words for part in word.lower().split()}
        parts |= {letter for word in evidence.words for letter in word if letter > "\u2e80"}
        words = [(word.lower() in parts, score) for word, score in told.words["text"]]
        if any(decides for decides, _ in words):
            hits.append(max(words, key=lambda pair: pair[1])[0])
            chances.append(np.mean([decides for decides, _ in words]))
    assert len(hits) > 40
    # Measured: 0.58, by chance 0.12.
    assert np.mean(hits) > 0.4
    assert np.mean(hits) > 2.5 * np.mean(chances)


def test_the_top_region_is_on_the_object(explained):
    hits, chances = [], []
    for told, evidence in explained:
        picture = told.values["image_bytes"]
        if evidence.region is None or not picture:
            continue
        regions = told.regions["image_bytes"]
        width, height = Image.open(io.BytesIO(picture)).size
        left, top, right, bottom = evidence.region
        rows, columns = np.indices(regions.shape) + 0.5
        across, down = columns * width / regions.shape[1], rows * height / regions.shape[0]
        inside = (across >= left) & (across < right) & (down >= top) & (down < bottom)
        hits.append(inside.ravel()[regions.argmax()])
        chances.append(inside.mean())
    assert len(hits) > 40
    # Measured: 0.88, by chance 0.38.
    assert np.mean(hits) > 0.65
    assert np.mean(hits) > 1.6 * np.mean(chances)

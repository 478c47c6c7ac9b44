import keras
import numpy as np
import pandas as pd
import pytest

from trainer.catalogue import load_catalogue
from trainer.config import DataConfig
from trainer.embed import FeatureStore
from trainer.input_pipeline import write_examples
from trainer.preprocessing import build_branches

ROWS = 8
ENCODERS = {"text": {"tiny_text": {}}, "number": {"piecewise": {"num_bins": 2}}}
WITH_NGRAM = {**ENCODERS, "text": {"ngram": {}, "tiny_text": {}}}


@pytest.fixture(scope="module")
def examples(tmp_path_factory):
    frame = pd.DataFrame(
        {
            "title": [f"red thing {row % 3}" if row != 2 else "" for row in range(ROWS)],
            "price": [float(row) for row in range(ROWS)],
            "label": ["a", "b"] * (ROWS // 2),
            "split": ["train"] * 6 + ["eval"] * 2,
        }
    )
    data = DataConfig(label=("label",), columns={"title": "text", "price": "number"})
    catalogue = load_catalogue(frame, data, say=lambda line: None)
    folder = tmp_path_factory.mktemp("examples") / "e"
    write_examples(catalogue, folder)
    return catalogue, folder


@pytest.fixture
def make(examples, tmp_path):
    """Returns a function that makes a store, branches and encoders, always in the same folder."""
    catalogue, folder = examples

    def build(seed=0, encoders=ENCODERS):
        keras.utils.set_random_seed(seed)
        store = FeatureStore(tmp_path / "features", folder, catalogue.fingerprint())
        branches = build_branches(catalogue.inputs, encoders)
        store.adapt(branches, ["train"])
        return store, branches, store.build_encoders(branches)

    return build


def arrays(made, splits=("train",)):
    store, branches, encoders = made
    return store.arrays(branches, encoders, splits, ["train"])


def written(tmp_path):
    return {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*.npy")}


def test_keeps_embeddings_of_pretrained_branches_and_tensors_of_the_others(make):
    made = make(encoders=WITH_NGRAM)
    _, branches, encoders = made
    found = arrays(made)
    (raw,) = (made[0].raw_values(branch, ["train"]) for branch in branches[:1])
    ngram = next(branch for branch in branches if branch.encoder_name == "ngram")
    expected = encoders[ngram.name](ngram.encoder.preprocess(list(raw)))
    np.testing.assert_allclose(found[ngram.name], expected, atol=1e-6)
    assert found["text_present"].tolist() == [True, True, False, True, True, True]
    assert found["text_tiny_text_token_ids"].shape == (6, 32)


def test_splits_come_one_after_the_other(make):
    made = make()
    both = arrays(made, ["eval", "train"])
    for name, values in arrays(made, ["train"]).items():
        np.testing.assert_array_equal(both[name][2:], values)
    np.testing.assert_array_equal(made[0].class_ids(["eval", "train"]), [0, 1, 0, 1, 0, 1, 0, 1])


def test_empty_splits_are_passed_over(make):
    made = make()
    assert arrays(made, ["test"]) == {}
    assert len(made[0].class_ids(["test"])) == 0


def test_finds_again_what_was_computed(make, tmp_path):
    first = arrays(make())
    before = written(tmp_path)
    again = arrays(make())
    assert written(tmp_path) == before
    for name, values in first.items():
        np.testing.assert_array_equal(again[name], values)


def test_a_changed_branch_is_computed_anew_and_the_others_are_not(make, tmp_path):
    arrays(make())
    before = written(tmp_path)
    changed = {**ENCODERS, "number": {"piecewise": {"num_bins": 3}}}
    assert arrays(make(encoders=changed))["price_piecewise"].shape[1] == 3
    new = set(written(tmp_path)) - set(before)
    assert {path.name for path in new} == {"price_piecewise.npy", "price_present.npy"}


def test_other_weights_are_other_embeddings(make):
    """Weights drawn at random under another seed, or a file that was replaced."""
    made = make(encoders=WITH_NGRAM)
    before = arrays(made)["text_ngram"]
    model = made[0].build_encoders(made[1])["text_ngram"]
    model.set_weights([2 * weight for weight in model.get_weights()])
    other = arrays((made[0], made[1], {**made[2], "text_ngram": model}))["text_ngram"]
    np.testing.assert_allclose(other, 2 * before, atol=1e-6)


def test_frozen_encoders_that_learn_nothing_are_loaded_once(make):
    store, branches, encoders = make(
        encoders={**ENCODERS, "text": {"tiny_text": {"trainable": "frozen"}}}
    )
    again = store.build_encoders(branches)
    assert again["text_tiny_text"] is encoders["text_tiny_text"]
    assert again["price_piecewise"] is not encoders["price_piecewise"]

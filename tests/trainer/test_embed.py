import shutil

import keras
import numpy as np
import pandas as pd
import pytest

from trainer.catalogue import load_catalogue
from trainer.config import DataConfig
from trainer.embed import FeatureStore
from trainer.files import write_json
from trainer.input_pipeline import CONTENTS_FILE, write_examples, write_texts
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
    folder = tmp_path_factory.mktemp("examples")
    write_examples(catalogue.table, catalogue.inputs, folder / "e")
    write_texts(["lamp", "watch"], catalogue.inputs, folder / "n")
    return catalogue, [folder / "e", folder / "n"]


@pytest.fixture
def make(examples, tmp_path):
    """Returns a function that makes a store, branches and encoders, always in the same folder."""
    catalogue, sources = examples

    def build(seed=0, encoders=ENCODERS, adapted_on=range(6), sources=sources):
        keras.utils.set_random_seed(seed)
        store = FeatureStore(tmp_path / "features", sources)
        branches = build_branches(catalogue.inputs, encoders)
        store.adapt(branches, np.array(adapted_on, int))
        return store, branches, store.build_encoders(branches)

    return build


def arrays(made, rows=range(ROWS)):
    store, branches, encoders = made
    return {name: of[np.array(rows)] for name, of in store.arrays(branches, encoders).items()}


def written(tmp_path):
    return {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*.npy")}


def test_keeps_embeddings_of_pretrained_branches_and_tensors_of_the_others(make):
    made = make(encoders=WITH_NGRAM)
    _, branches, encoders = made
    found = arrays(made)
    raw = made[0].raw_values(branches[0], np.arange(ROWS))
    ngram = next(branch for branch in branches if branch.encoder_name == "ngram")
    expected = encoders[ngram.name](ngram.encoder.preprocess(list(raw)))
    np.testing.assert_allclose(found[ngram.name], expected, atol=1e-6)
    assert found["text_present"].tolist() == [row != 2 for row in range(ROWS)]
    assert found["text_tiny_text_token_ids"].shape == (ROWS, 32)


def test_sources_come_one_after_the_other(make, examples):
    made = make()
    store, branches, _ = made
    assert store.positions(0).tolist() == list(range(8))
    assert store.positions(1).tolist() == [8, 9]
    alone = arrays(make(sources=examples[1][1:], adapted_on=()), [1, 0])
    both = arrays(made, [9, 0, 8])
    np.testing.assert_array_equal(both["text_present"], [True] * 3)
    tokens = "text_tiny_text_token_ids"
    np.testing.assert_array_equal(both[tokens][[0, 2]], alone[tokens])
    values = store.raw_values(branches[0], np.array([1, 7, 8, 9]))
    assert values.tolist() == [b"red thing 1", b"red thing 1", b"lamp", b"watch"]
    parts = [(source.name, rows.tolist()) for source, rows in store.split(np.array([1, 8, 9]))]
    assert parts == [("e", [1]), ("n", [0, 1])]


def test_values_with_the_same_name_are_embedded_once(make, examples, tmp_path):
    """The text of the second source is that of the first; its price is another."""
    source = tmp_path / "view"
    shutil.copytree(examples[1][0], source)
    write_json(source / CONTENTS_FILE, {"text": "e", "price": "view"})
    made = make(sources=[examples[1][0], source])
    found = arrays(made, range(2 * ROWS))
    names = {path.parent.name for path in written(tmp_path) if "text" in path.name}
    assert names == {"e"}
    assert {path.parent.name for path in written(tmp_path) if "price" in path.name} == {"e", "view"}
    tokens = found["text_tiny_text_token_ids"]
    np.testing.assert_array_equal(tokens[:ROWS], tokens[ROWS:])


def test_what_was_learned_of_other_rows_is_computed_anew(make):
    first, other = (arrays(make(adapted_on=rows)) for rows in (range(4), range(3, 8)))
    assert not np.array_equal(first["price_piecewise"], other["price_piecewise"])
    again = arrays(make(adapted_on=range(4)))
    np.testing.assert_array_equal(first["price_piecewise"], again["price_piecewise"])


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
        encoders={**ENCODERS, "text": {"tiny_text": {"tuning": "frozen"}}}
    )
    again = store.build_encoders(branches)
    assert again["text_tiny_text"] is encoders["text_tiny_text"]
    assert again["price_piecewise"] is not encoders["price_piecewise"]

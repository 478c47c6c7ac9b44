"""A frozen encoder makes the same of products whoever asks it, shard by shard."""

import dataclasses

import numpy as np
import pytest

from components.transform import embed_shards
from components.transform.embed_shards import embed_in_shards, embed_shard
from trainer.config import Config, ModelConfig
from trainer.embed import FeatureStore
from trainer.fitting import build_encoders
from trainer.input_pipeline import value_specs
from trainer.inputs import InputSpec
from trainer.records import count_shards, write_records

INPUTS = (InputSpec("text", "text", ("title",)),)


@pytest.fixture
def config(tiny_bert):
    text = {"bert": {"weights": tiny_bert, "max_tokens": 16}, "ngram": {}}
    return Config(model=ModelConfig(encoders={"text": text, "image": {}, "number": {}}))


@pytest.fixture
def source(tmp_path):
    """Writes 70 titles, 32 a file; of files that are whole batches the shards are the batches'."""
    rng = np.random.default_rng(0)
    words = ["red", "wireless", "headphones", ""]
    titles = [" ".join(rng.choice(words, rng.integers(0, 5))) for _ in range(70)]
    rows = [{"text": title.strip().encode()} for title in titles]
    write_records(tmp_path / "e", rows, value_specs(INPUTS), rows_per_shard=32)
    return tmp_path / "e"


def features(config, source, folder, elsewhere=None):
    store = FeatureStore(folder, [source])
    store.elsewhere = elsewhere
    found = store.arrays(*build_encoders(INPUTS, config, store, np.arange(70)))
    return {name: of[np.arange(70)] for name, of in found.items()}


def test_shards_make_what_one_process_makes(config, source, tmp_path, monkeypatch):
    assert count_shards(source) == 3
    asked = []

    def elsewhere(branch, digest, source):
        asked.append(branch.encoder_name)
        return embed_in_shards(config, INPUTS, tmp_path / "scratch", branch, digest, source)

    expected = features(config, source, tmp_path / "here")
    found = features(config, source, tmp_path / "there", elsewhere)
    assert asked == ["bert"]  # what learns from the rows is computed where they are
    assert found.keys() == expected.keys()
    for name, values in expected.items():
        np.testing.assert_array_equal(found[name], values, err_msg=name)
    # What was noted is not computed again.
    monkeypatch.delattr(embed_shards, "embed_records")
    features(config, source, tmp_path / "again", elsewhere)


def test_other_weights_are_refused(config, source):
    shared = {"config": dataclasses.asdict(config), "inputs": [vars(spec) for spec in INPUTS]}
    with pytest.raises(ValueError, match="not the same on all machines"):
        embed_shard(
            {"source": str(source), "shard": 0},
            {**shared, "branch": "text_bert", "digest": "of others"},
        )

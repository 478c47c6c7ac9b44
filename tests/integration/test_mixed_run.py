"""Runs that learn from mixed rows: in the stage that is meant, the same when resumed."""

from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

import trainer.fitting
from trainer.config import load_config
from trainer.overrides import apply_overrides
from trainer.run import Run

SETTINGS = (
    "data.label=category",
    "data.ignore=department,category_path,shelf,colour",
    "model.encoders.text={'ngram': {'dim': 8}}",
    "train.head_epochs=2",
    "train.encoder_epochs=2",
    "train.batch_size=32",
)


def make(shop: Path, workdir: Path, *settings: str) -> Run:
    config = apply_overrides(load_config("tiny"), [f"data.table={shop}", *SETTINGS, *settings])
    return Run(config, workdir, quiet=True)


@pytest.mark.slow
@pytest.mark.parametrize(("option", "mixing"), [("mixup", "head"), ("cutmix", "encoders")])
def test_one_stage_learns_from_mixed_rows(option, mixing, shop, tiny_bert, tmp_path, monkeypatch):
    """Also: what is watched is as it was, and a resumed stage goes on with the same batches."""
    stages, run_stage = {}, trainer.fitting.run_stage

    def spy(model, data, **options):
        steps = options["steps"]
        batches = list(itertools.islice(data(first_epoch=0).as_numpy_iterator(), 2 * steps))
        resumed = next(data(first_epoch=1).as_numpy_iterator())
        watched = next(options["eval_data"].as_numpy_iterator())
        stages[options["name"]] = (batches, batches[steps], resumed, watched)
        return run_stage(model, data, **options)

    monkeypatch.setattr(trainer.fitting, "run_stage", spy)
    # The order of the batches is asked for, not determinism of the whole process.
    monkeypatch.setattr(tf.config.experimental, "enable_op_determinism", lambda: None)
    bert = {"weights": tiny_bert, "max_tokens": 8, "tuning": "full"}
    settings = {
        "mixup": ["data.columns.picture=ignored"],
        "cutmix": [
            f"model.encoders.text={ {'bert': bert} }",
            "model.encoders.image.tiny_image.image_size=32",
            "train.head_epochs=1",
        ],
    }[option]
    run = make(shop, tmp_path, f"augment.{option}=1", "train.deterministic=true", *settings)
    run.prepare()
    num_classes = len(run.catalogue.class_names)
    network = run.fit(run.sample("train"), run.sample("eval"))
    assert np.isfinite([epoch["loss"] for epoch in network.history]).all()
    assert mixing in stages
    for stage, (batches, second, resumed, watched) in stages.items():
        for tensors, found in zip(second, resumed, strict=True):
            for name in tensors if isinstance(tensors, dict) else [...]:
                np.testing.assert_array_equal(found[name], tensors[name])
        assert watched[1].ndim == 1
        targets = [batch[1] for batch in batches]
        if stage != mixing:
            assert all(ids.ndim == 1 for ids in targets)
            continue
        shares = np.concatenate(targets)
        assert shares.shape[1] == num_classes
        np.testing.assert_allclose(shares.sum(axis=1), 1, rtol=1e-5)
        assert (shares.max(axis=1) < 0.99).mean() > 0.1


def test_mixing_that_does_not_fit_is_refused_before_anything_is_written(shop, tmp_path):
    with pytest.raises(ValueError, match=r"augment\.cutmix mixes pixels in the second stage"):
        make(shop, tmp_path / "w", "augment.cutmix=1").prepare()
    with pytest.raises(ValueError, match=r"augment\.mixup mixes embeddings.*tiny_image"):
        make(shop, tmp_path / "w", "augment.mixup=0.2").prepare()
    assert not (tmp_path / "w").exists()

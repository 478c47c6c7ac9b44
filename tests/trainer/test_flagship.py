"""The flagship configuration at full size: half a gigabyte of weights, minutes on a CPU."""

import functools
import shutil

import keras
import numpy as np
import pytest
import tensorflow as tf

from trainer.artefact import ModelCard
from trainer.config import load_config
from trainer.export import export_saved_model
from trainer.features import StackedRows, array_batches
from trainer.inputs import InputSpec
from trainer.model import build_scorer, build_voter, build_votes
from trainer.overrides import apply_overrides
from trainer.preprocessing import build_branches, preprocess
from trainer.sample import Sample
from trainer.stage import run_stage

INPUTS = (
    InputSpec("image_bytes", "image", ("image",)),
    InputSpec("text", "text", ("title",)),
    InputSpec("price", "number", ("price",)),
    InputSpec("brand", "category", ("brand",)),
)
CLASSES = ("kettle", "lamp", "watch")


@pytest.fixture
def folder(tmp_path):
    """Returns a folder for gigabytes that must not stay."""
    yield tmp_path
    shutil.rmtree(tmp_path)


def draw_products():
    """Returns raw values of five rows; each of the last four lacks one or all."""
    rng = np.random.default_rng(0)
    tops = (255, 160, 200, 90, 30)
    pictures = [rng.integers(0, top, (240, 300, 3), np.uint8) for top in tops]
    return {
        "image_bytes": [tf.io.encode_jpeg(picture).numpy() for picture in pictures[:2]]
        + [b"", tf.io.encode_jpeg(pictures[3]).numpy(), b""],
        "text": [b"steel kettle 1.7 l", b"", b"desk lamp, warm white", b"smart watch", b""],
        "price": [25.0, 12.5, np.nan, 199.0, np.nan],
        "brand": [b"acme", b"bolt", b"acme", b"", b""],
    }


def build(raw):
    weights = ("image.resnet50", "text.bert")
    settings = [f"model.encoders.{name}.weights=random" for name in weights]
    config = apply_overrides(load_config("bert_resnet50"), settings)
    branches = build_branches(INPUTS, config.model.encoders)
    for branch in branches:
        kind = np.float32 if branch.input.kind == "number" else object
        branch.encoder.adapt(np.array(raw[branch.input.name], kind))
    encoders = {branch.name: branch.encoder.build() for branch in branches}
    widths = {name: encoder.output.shape[-1] for name, encoder in encoders.items()}
    votes = build_votes(branches, widths, len(CLASSES), config.model)
    return config, branches, build_voter(encoders, votes)


@pytest.mark.slow
def test_flagship_trains_saves_loads_and_exports_at_full_size(folder):
    keras.utils.set_random_seed(0)
    raw = {name: tf.constant(values) for name, values in draw_products().items()}
    config, branches, voter = build(draw_products())
    assert voter.count_params() > 109_000_000 + 23_000_000
    tensors = preprocess(branches, raw)
    arrays = {name: tensors[name].numpy() for name in voter.input}
    assert arrays["text_bert_token_ids"].shape == (5, 128)
    assert arrays["image_bytes_resnet50_pixels"].shape == (5, 224, 224, 3)

    # Votes start at zero: no gradient would reach the encoders, and equal scores prove nothing.
    rng = np.random.default_rng(0)
    for weight in voter.get_layer("votes").trainable_weights:
        if "kernel" in weight.path.rsplit("/", 1)[-1] and "vote" in weight.path:
            weight.assign(rng.normal(scale=0.3, size=weight.shape))
    watched = [first_kernel(voter, name) for name in ("text_bert", "image_bytes_resnet50")]
    before = [weight.numpy() for weight in watched]
    sample = Sample.of(np.arange(5), np.array([0, 1, 1, 2, 0]))
    stacked = {name: StackedRows([values]) for name, values in arrays.items()}
    result = run_stage(
        voter,
        functools.partial(array_batches, stacked, sample, 5, seed=0),
        name="encoders",
        steps=1,
        epochs=1,
        learning_rate=config.train.vote_learning_rate,
        config=config.train,
        folder=folder / "checkpoints",
    )
    assert np.isfinite(result.history[0]["loss"])
    for weight, old in zip(watched, before, strict=True):
        assert 0 < np.abs(weight.numpy() - old).max() < 1e-3
    shutil.rmtree(folder / "checkpoints")

    scorer = build_scorer(voter, np.full(len(branches) + 1, 0.2, np.float32))
    expected = scorer.predict(tensors, verbose=0)
    assert expected[:4].std(axis=0).min() > 0.02
    np.testing.assert_allclose(expected[4], 1 / 3, atol=1e-4)  # but for the biases' one step
    scorer.save(folder / "model.keras")
    del voter, scorer, watched, weight
    keras.backend.clear_session()

    loaded = keras.saving.load_model(folder / "model.keras", compile=False)
    np.testing.assert_allclose(loaded.predict(tensors, verbose=0), expected, atol=1e-6)
    card = ModelCard(INPUTS, CLASSES, ("category",), ("category",), "", "flagship", {"train": 5})
    path = export_saved_model(folder / "export", branches, loaded, card, np.zeros(0, np.uint64))
    del loaded
    keras.backend.clear_session()

    served = tf.saved_model.load(str(path))
    answers = served.signatures["serving_default"](**raw)
    np.testing.assert_allclose(answers["scores"], expected, atol=1e-5)
    assert [label.decode() for label in answers["label"].numpy()[:4]] == [
        CLASSES[index] for index in expected[:4].argmax(axis=1)
    ]


def first_kernel(voter, branch_name):
    weights = voter.get_layer(branch_name).trainable_weights
    return next(weight for weight in weights if "kernel" in weight.path)

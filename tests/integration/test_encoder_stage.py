"""The second stage: encoders that are trained, from records that were prepared once."""

from __future__ import annotations

import contextlib
import io
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import tensorflow as tf

from trainer.answers import Answers
from trainer.config import Config, load_config
from trainer.network import Network
from trainer.overrides import apply_overrides
from trainer.predictor import Predictor
from trainer.preprocessing import build_branches
from trainer.run import Run
from trainer.saved_network import load_network

WORDS = {"audio": "head phones", "power": "red wire"}
ROWS = 48


@pytest.fixture(scope="module")
def frame() -> pd.DataFrame:
    rng = np.random.default_rng(0)
    labels = [list(WORDS)[row % 2] for row in range(ROWS)]
    texts = [f"{WORDS[label]} {rng.choice(['head', 'wire', 'less'])}" for label in labels]
    return pd.DataFrame({"title": texts, "price": rng.uniform(1, 9, ROWS), "label": labels})


def configure(preset: str, tuning: str, **train: object) -> Config:
    options = {
        "weights": preset,
        "max_tokens": 8,
        "tuning": tuning,
        "tuning_options": {"learning_rate": 0.003},
    }
    settings = [
        "data.label=label",
        f"model.encoders.text={ {'bert': options, 'ngram': {'dim': 8}} }",
        "train.head_epochs=2",
        "train.encoder_epochs=3",
        "train.vote_learning_rate=0.003",
        "train.batch_size=8",
        *(f"train.{name}={value}" for name, value in train.items()),
    ]
    return apply_overrides(load_config("tiny"), settings)


@dataclass
class Tuned:
    """A run that tuned BERT, from table to export."""

    run: Run
    network: Network
    answers: Answers  # of the test rows, before the export
    counts: dict[str, dict[str, int]]
    said: str


@pytest.fixture(scope="module")
def tuned(tiny_bert: str, frame: pd.DataFrame, tmp_path_factory: pytest.TempPathFactory) -> Tuned:
    said = io.StringIO()
    with contextlib.redirect_stderr(said):
        run = Run(
            configure(tiny_bert, "lora", sampling="balanced"),
            tmp_path_factory.mktemp("run"),
            source=frame,
        )
        run.prepare()
        network = run.train()
    assert not run.refits, "training encoders twice is not cheap: `auto` must not"
    answers = run.answer(network, "test")
    counts = network.count_parameters()
    run.finish()
    return Tuned(run, network, answers, counts, said.getvalue())


def test_the_export_answers_like_the_keras_model(tuned: Tuned) -> None:
    workdir, catalogue = tuned.run.workdir, tuned.run.catalogue
    assert [epoch["stage"] for epoch in tuned.network.history] == ["head"] * 2 + ["encoders"] * 3
    predicted = Predictor(workdir).answer(catalogue.take(catalogue.rows("test")))
    np.testing.assert_allclose(predicted.scores, tuned.answers.scores, atol=1e-5)
    scorer, state = load_network(workdir)
    assert scorer.output_shape == (None, 2)
    assert [branch["encoder"] for branch in state["branches"]] == ["bert", "ngram", "piecewise"]


def test_what_was_trained_is_counted_and_said(tuned: Tuned) -> None:
    # Two blocks, query and value, 8 by 8 at rank 8.
    trained = 2 * 2 * (8 + 8) * 8
    assert tuned.counts["text_bert"]["trained"] == trained
    assert tuned.counts["text_ngram"]["trained"] == 0
    assert f"text_bert: trained {trained:,} of {tuned.counts['text_bert']['all']:,}" in tuned.said


def test_frozen_encoders_are_not_run_at_every_step(tuned: Tuned) -> None:
    assert "text_ngram" in tuned.network.tuned_voter.input
    assert "text_ngram_term_ids" not in tuned.network.tuned_voter.input
    assert "text_bert_token_ids" in tuned.network.tuned_voter.input


def test_the_adapter_file_turns_the_base_into_what_was_trained(tuned: Tuned) -> None:
    path = tuned.run.workdir / "adapters" / "text_bert.safetensors"
    tensors, found = None, []
    for options in (["adapter="], [f"adapter={path}"]):
        chosen = ["tuning=frozen", "tuning_options={}", *options]
        config = apply_overrides(
            tuned.run.config, [f"model.encoders.text.bert.{option}" for option in chosen]
        )
        branch, *_ = build_branches(tuned.run.catalogue.inputs, config.model.encoders)
        tensors = branch.encoder.preprocess(tf.constant([b"red wire", b"head phones"]))
        found.append(branch.encoder.build()(tensors).numpy())
    expected = tuned.network.encoders["text_bert"](tensors)
    assert np.abs(found[0] - expected).max() > 1e-4
    np.testing.assert_allclose(found[1], expected, atol=1e-5)


def test_what_does_not_fit_is_refused_before_products_are_read(
    tiny_bert: str, frame: pd.DataFrame, tmp_path: Path
) -> None:
    for setting, message in {
        "number.piecewise.tuning=lora": r"'price_piecewise' has no kernels for 'lora'",
        "text.bert.adapter=nowhere.safetensors": "No adapter file at",
        "text.bert.tuning_options={'ranks': 4}": "Unknown option of tuning method 'lora'",
        "text.bert.tuning=lore": "Did you mean 'lora'",
    }.items():
        config = apply_overrides(configure(tiny_bert, "lora"), [f"model.encoders.{setting}"])
        run = Run(config, tmp_path, source=frame, quiet=True)
        with pytest.raises((ValueError, FileNotFoundError), match=message):
            run.prepare()
    assert list(tmp_path.iterdir()) == []


def test_mixed_precision_trains_and_answers_in_float32(
    tiny_bert: str, frame: pd.DataFrame, tmp_path: Path
) -> None:
    import keras

    try:
        config = configure(tiny_bert, "adapter", mixed_precision=True)
        run = Run(config, tmp_path, source=frame, quiet=True)
        run.prepare()
        network = run.train()
        assert network.encoders["text_bert"].compute_dtype == "bfloat16"
        scores = run.answer(network, "test").scores
    finally:
        keras.config.set_dtype_policy("float32")
    np.testing.assert_allclose(scores.sum(axis=1), 1.0, atol=1e-5)
    losses = [epoch["loss"] for epoch in network.history]
    assert losses[-1] < losses[0]

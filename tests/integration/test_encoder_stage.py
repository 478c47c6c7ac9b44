"""The second stage: encoders that are trained, from records that were prepared once."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import tensorflow as tf

from trainer.config import Config, apply_overrides, load_config
from trainer.predictor import Predictor
from trainer.preprocessing import build_branches
from trainer.run import Run, load_network

WORDS = {"audio": "head phones", "power": "red wire"}
ROWS = 48
FROZEN = ("tuning=frozen", "tuning_options={}")


@pytest.fixture
def frame() -> pd.DataFrame:
    rng = np.random.default_rng(0)
    labels = [list(WORDS)[row % 2] for row in range(ROWS)]
    texts = [f"{WORDS[label]} {rng.choice(['head', 'wire', 'less'])}" for label in labels]
    return pd.DataFrame({"title": texts, "price": rng.uniform(1, 9, ROWS), "label": labels})


def configure(preset: str, tuning: str = "full", **train: object) -> Config:
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


def test_encoders_change_and_the_export_answers_like_the_keras_model(
    tiny_bert: str, frame: pd.DataFrame, tmp_path: Path
) -> None:
    run = Run(configure(tiny_bert), tmp_path, source=frame, quiet=True)
    run.prepare()
    network = run.train()
    before = run.store.build_encoders(network.branches)["text_bert"].get_weights()
    after = network.encoders["text_bert"].get_weights()
    assert any(not np.allclose(old, new) for old, new in zip(before, after, strict=True))
    assert [epoch["stage"] for epoch in network.history] == ["head"] * 2 + ["encoders"] * 3
    assert not run.refits, "training encoders twice is not cheap: `auto` must not"
    # The eval rows are as long as the test rows; both are answered by the trained encoders.
    answers = run.answer(network, "test")
    run.finish()
    predicted = Predictor(tmp_path).answer(run.catalogue.take(run.catalogue.rows("test")))
    np.testing.assert_allclose(predicted.scores, answers.scores, atol=1e-5)
    scorer, state = load_network(tmp_path)
    assert scorer.output_shape == (None, 2)
    assert [branch["encoder"] for branch in state["branches"]] == ["bert", "ngram", "piecewise"]


# Merged into the kernels, and kept as layers.
@pytest.mark.parametrize("tuning", ["lora", "adapter"])
def test_a_tuned_encoder_is_counted_kept_in_a_file_and_exported(
    tiny_bert: str,
    frame: pd.DataFrame,
    tmp_path: Path,
    tuning: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    run = Run(configure(tiny_bert, tuning), tmp_path, source=frame)
    run.prepare()
    network = run.train()
    # Those that stay as they are were embedded before, and are not run at every step.
    assert "text_ngram" in network.tuned_voter.input
    assert "text_ngram_term_ids" not in network.tuned_voter.input
    counts = network.count_parameters()
    trained = sum(np.prod(of.shape) for of in network.encoders["text_bert"].trainable_weights)
    assert counts["text_bert"]["trained"] == trained > 0
    assert counts["text_ngram"]["trained"] == 0
    assert f"text_bert: trained {trained:,} of {counts['text_bert']['all']:,}" in (
        capsys.readouterr().err
    )
    answers = run.answer(network, "test")
    run.finish()
    expected = Predictor(tmp_path).answer(run.catalogue.take(run.catalogue.rows("test")))
    np.testing.assert_allclose(expected.scores, answers.scores, atol=1e-5)
    scorer, _ = load_network(tmp_path)
    assert "text_bert_token_ids" in scorer.input

    # The file starts an encoder that answers as the trained one, untouched otherwise.
    path = tmp_path / "adapters" / "text_bert.safetensors"
    setting = f"model.encoders.text.bert.adapter={path}"
    frozen = apply_overrides(
        run.config, [setting, *(f"model.encoders.text.bert.{of}" for of in FROZEN)]
    )
    branch, *_ = build_branches(run.catalogue.inputs, frozen.model.encoders)
    tensors = branch.encoder.preprocess(tf.constant([b"red wire", b"head phones"]))
    found = branch.encoder.build()(tensors)
    np.testing.assert_allclose(found, network.encoders["text_bert"](tensors), atol=1e-5)


def test_what_does_not_fit_is_refused_before_the_table_is_read_for_training(
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
        run = Run(configure(tiny_bert, mixed_precision=True), tmp_path, source=frame, quiet=True)
        run.prepare()
        network = run.train()
        assert network.encoders["text_bert"].compute_dtype == "bfloat16"
        scores = run.answer(network, "test").scores
    finally:
        keras.config.set_dtype_policy("float32")
    np.testing.assert_allclose(scores.sum(axis=1), 1.0, atol=1e-5)
    losses = [epoch["loss"] for epoch in network.history]
    assert losses[-1] < losses[0]

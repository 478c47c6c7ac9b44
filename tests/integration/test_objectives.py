"""Auxiliary objectives from configuration to export."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import keras
import numpy as np
import pandas as pd
import pytest

from trainer.config import Config, load_config
from trainer.overrides import apply_overrides
from trainer.predictor import Predictor
from trainer.run import Run

WORDS = {"audio": "head phones", "power": "red wire"}
ROWS = 48


def make_frame(**columns: object) -> pd.DataFrame:
    rng = np.random.default_rng(0)
    labels = [list(WORDS)[row % 2] for row in range(ROWS)]
    brands = rng.choice(["acme", "bolt", ""], ROWS)
    texts = [
        f"{WORDS[label]} {brand} {rng.choice(['wire', 'less'])}"
        for label, brand in zip(labels, brands, strict=True)
    ]
    return pd.DataFrame({"title": texts, "brand": brands, "label": labels, **columns})


def configure(*settings: str, **objectives: object) -> Config:
    base = [
        "data.label=label",
        "data.columns.title=text",
        "model.encoders.text={'tiny_text': {}}",
        f"train.objectives={objectives}",
        "train.head_epochs=3",
        "train.batch_size=8",
    ]
    return apply_overrides(load_config("tiny"), [*base, *settings])


BRAND = {"weight": 0.3, "columns": ["brand"]}
SUPCON = {"weight": 0.1}


def make_run(folder: Path, config: Config, frame: pd.DataFrame | None = None) -> Run:
    frame = make_frame() if frame is None else frame
    run = Run(config, folder, source=frame, quiet=True)
    run.prepare()
    return run


def test_losses_are_logged_by_name_and_the_export_knows_nothing_of_them(tmp_path: Path) -> None:
    run = make_run(tmp_path, configure(labels=BRAND, supervised_contrastive=SUPCON))
    assert run.catalogue.columns["brand"].kind == "auxiliary label"
    network = run.train()
    for epoch in network.history:
        assert epoch["val_label_brand_loss"] > 0
        assert epoch["supervised_contrastive_loss"] > 0
        assert 0 <= epoch["accuracy"] <= 1
        assert not [name for name in epoch if "votes" in name]
    # The watched loss is that of the votes alone.
    votes = network.voter.output
    assert votes.shape == (None, len(network.branches) + 1, 2)
    run.finish()
    table = run.catalogue.take(run.catalogue.rows("test"))
    without = dataclasses.replace(table, frame=table.frame.drop(columns="brand"))
    predictor = Predictor(tmp_path)
    np.testing.assert_array_equal(predictor.answer(without).scores, predictor.answer(table).scores)


def test_main_loss_is_what_it_is_without_objectives(tmp_path: Path) -> None:
    """With a weight of nearly nothing, the same to the digit."""
    losses = []
    for name, objectives in {"with": {"labels": {**BRAND, "weight": 1e-9}}, "without": {}}.items():
        frame = make_frame().drop(columns="brand") if name == "without" else make_frame()
        run = make_run(tmp_path / name, configure(**objectives), frame)
        losses.append([epoch["loss"] for epoch in run.train().history])
    assert losses[0] == pytest.approx(losses[1], rel=1e-3)


@pytest.mark.slow
def test_both_stages_learn_them_and_go_on_where_they_were(
    tmp_path: Path, tiny_bert: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    bert = {"bert": {"weights": tiny_bert, "max_tokens": 8, "tuning": "full"}}
    config = configure(
        f"model.encoders.text={bert}", "train.encoder_epochs=1", "train.average=swa", labels=BRAND
    )
    run = make_run(tmp_path, config)
    history = run.train().history
    assert [epoch["stage"] for epoch in history] == ["head"] * 3 + ["encoders"]
    assert all("label_brand_loss" in epoch for epoch in history)
    monkeypatch.setattr(keras.Model, "fit", lambda *_, **__: pytest.fail("trained again"))
    again = make_run(tmp_path, config)
    found, expected = (
        {k: v for k, v in job.train().history[-1].items() if k != "seconds"} for job in (again, run)
    )
    assert found == expected


@pytest.mark.parametrize(
    ("objectives", "message"),
    [
        ({"labels": {"weight": 1, "columns": ["brnd"]}}, r"'brnd'.*Did you mean 'brand'\?"),
        ({"labels": {"weight": 1, "columns": ["label"]}}, r"'label' as label and as auxiliary"),
        ({"labels": {**BRAND, "min_rows": 30}}, r"at least two values of 30 training rows"),
        ({"contrastive": {"weight": 1}}, r"none is of kind 'image'"),
    ],
)
def test_what_does_not_fit_the_table_is_refused_before_training(
    tmp_path: Path, objectives: dict[str, object], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        make_run(tmp_path, configure(**objectives))
    assert not (tmp_path / "config.json").exists()


def test_other_labels_make_another_run(tmp_path: Path) -> None:
    config = configure(labels=BRAND)
    keys = [
        make_run(tmp_path / str(index), config, make_frame(brand=brands)).key
        for index, brands in enumerate((["a", "b"] * 24, ["a", "b"] * 23 + ["b", "a"]))
    ]
    assert keys[0] != keys[1]
    assert json.loads(config.to_json())["train"]["objectives"] == {"labels": BRAND}

"""Exported models as far as a deployment looks at them, and deployments of them."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from serving.deploy.deployment import Deployment
from serving.deploy.settings_file import read_settings
from trainer.artefact import CARD_FILE, ModelCard
from trainer.inputs import InputSpec


def write_version(folder: Path, run: str, max_batch: int = 64) -> None:
    inputs = (
        InputSpec("image_bytes", "image", ("image",)),
        InputSpec("text", "text", ("title",)),
        InputSpec("price", "number", ("price",)),
    )
    card = ModelCard(inputs, ("a", "b"), ("category",), ("category",), "", run, {}, (), max_batch)
    (folder / "assets.extra").mkdir(parents=True)
    (folder / "variables").mkdir()
    (folder / "saved_model.pb").write_bytes(b"graph of " + run.encode())
    (folder / "variables" / "variables.index").write_bytes(b"weights")
    card_file = folder / "assets.extra" / CARD_FILE
    card_file.write_text(json.dumps(card.to_dict()), encoding="utf-8")


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """A workdir with versions 1, 2 and 3."""
    for number in (1, 2, 3):
        write_version(tmp_path / "run" / "export" / str(number), f"{number}" * 16)
    return tmp_path / "run"


@pytest.fixture
def plan(model: Path) -> Callable[..., Deployment]:
    """Plans a deployment of the model with `section.name=VALUE` settings."""
    return lambda *settings: Deployment.plan(model, read_settings(None, settings))

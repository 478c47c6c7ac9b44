"""One new file in the package's folder is a new fusion; nothing else is touched."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SOURCE = """
import keras
from keras import ops

from trainer.layers.masking import mask_absent
from trainer.registry import FUSIONS


@FUSIONS.register("dropped_in")
@keras.saving.register_keras_serializable(package="taxofuse")
class DroppedInFusion(keras.layers.Layer):
    def __init__(self, factor=1.0, **kwargs):
        super().__init__(**kwargs)
        self.factor = factor

    def call(self, embeddings, present):
        parts = [mask_absent(embeddings[name], present[name]) for name in sorted(embeddings)]
        return self.factor * ops.concatenate(parts, axis=-1)

    def get_config(self):
        return {**super().get_config(), "factor": self.factor}
"""


def hashes():
    files = sorted((ROOT / "trainer").rglob("*.py"))
    return {path: hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


@pytest.mark.slow
def test_trains_with_a_fusion_dropped_in_as_one_file(shop, run_arguments, tmp_path):
    settings = ["model.fusion=dropped_in", "model.fusion_options.factor=0.5"]
    settings += ["train.head_epochs=1", "train.refit=never"]
    more = [part for setting in settings for part in ("--set", setting)]
    # Text alone is enough here and takes a third of the time.
    arguments = run_arguments(
        shop, tmp_path / "w", "--ignore", "picture,price,colour", *more, command="train"
    )
    new = ROOT / "trainer" / "fusion" / "dropped_in_by_a_test.py"
    before = hashes()
    try:
        new.write_text(SOURCE, encoding="utf-8")
        command = [sys.executable, "-B", "-m", "trainer.cli", *arguments]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    finally:
        new.unlink(missing_ok=True)
    assert done.returncode == 0, done.stderr[-3000:]
    assert hashes() == before
    assert Path(done.stdout.strip()) == tmp_path / "w" / "export" / "1"
    config = json.loads((tmp_path / "w" / "config.json").read_text(encoding="utf-8"))
    assert config["model"]["fusion"] == "dropped_in"
    with zipfile.ZipFile(tmp_path / "w" / "model.keras") as archive:
        assert "DroppedInFusion" in archive.read("config.json").decode()

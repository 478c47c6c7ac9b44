"""The example, run by TFX from a table to a pushed model."""

from __future__ import annotations

import subprocess

import pytest
from ml_metadata.proto import metadata_store_pb2
from tfx.orchestration import metadata

from components.tfx.example_pipeline import main
from components.tfx.process import find_python


@pytest.mark.slow
def test_a_model_is_pushed_and_not_pushed_again(tmp_path):
    demo, workdir = tmp_path / "demo", tmp_path / "work"
    draw = [find_python(), "-m", "trainer.cli", "demo-data", "--products", "300", "--out"]
    subprocess.run([*draw, str(demo)], check=True)
    arguments = ["--data", str(demo / "products.csv"), "--label", "category"]
    arguments += ["--ignore", "subcategory", "--config", "tiny", "--workdir", str(workdir)]
    main(arguments)
    (made,) = workdir.glob("tfx/ModelTrainer/model/*/Format-Serving/saved_model.pb")
    pushed = workdir / "serving" / "1" / "saved_model.pb"
    assert pushed.read_bytes() == made.read_bytes()
    main(arguments)
    versions = [path.name for path in (workdir / "serving").iterdir() if path.name.isdigit()]
    assert versions == ["1"]
    config = metadata.sqlite_metadata_connection_config(str(workdir / "tfx" / "metadata.sqlite"))
    with metadata.Metadata(config) as handle:
        cached = [
            one
            for one in handle.store.get_executions()
            if one.last_known_state == metadata_store_pb2.Execution.CACHED
        ]
    assert len(cached) == 9  # all but the resolver

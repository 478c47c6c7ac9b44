from __future__ import annotations

import json
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from trainer.artefact import CARD_FILE, ModelCard
from trainer.cli import main
from trainer.inputs import InputSpec


@pytest.fixture
def model(tmp_path: Path) -> Path:
    version = tmp_path / "run" / "export" / "1"
    (version / "assets.extra").mkdir(parents=True)
    (version / "saved_model.pb").write_bytes(b"graph")
    inputs = (InputSpec("text", "text", ("title",)),)
    card = ModelCard(inputs, ("a", "b"), ("category",), ("category",), "", "0123456789", {})
    (version / "assets.extra" / CARD_FILE).write_text(json.dumps(card.to_dict()))
    return tmp_path / "run"


def test_deploy_writes_a_folder_and_prints_it(
    model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    code = main(["deploy", "--model", str(model), "--out", str(out), "--set", "model.name=shop"])
    assert code == 0
    assert capsys.readouterr().out == f"{out}\n"
    assert (out / "models" / "shop" / "1" / "saved_model.pb").read_bytes() == b"graph"
    assert 'name: "shop"' in (out / "config" / "models.config").read_text()


def test_the_printed_settings_are_a_settings_file(
    model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["deploy", "--print-settings", "--set", "server.port=9000"]) == 0
    text = capsys.readouterr().out
    assert tomllib.loads(text)["server"]["port"] == 9000
    (tmp_path / "mine.toml").write_text(text)
    arguments = ["--model", str(model), "--out", str(tmp_path / "out")]
    assert main(["deploy", *arguments, "--settings", str(tmp_path / "mine.toml")]) == 0
    assert "EXPOSE 9000 8501" in (tmp_path / "out" / "Dockerfile").read_text()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "--model and --out must be given"),
        (["--model", "x"], "--out must be given"),
        (["--model", "x", "--out", "y", "--set", "modle.name=a"], "Did you mean 'model'"),
        (["--model", "nowhere", "--out", "y"], "No exported model"),
        (["--model", "x", "--out", "y", "--settings", "nowhere.toml"], "No settings file"),
    ],
)
def test_a_wrong_call_writes_nothing(
    arguments: list[str],
    message: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["deploy", *arguments]) == 2
    assert message in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


def test_deploying_needs_no_tensorflow(model: Path, tmp_path: Path) -> None:
    code = (
        "import sys; from trainer.cli import main;"
        f"main(['deploy', '--model', {str(model)!r}, '--out', {str(tmp_path / 'out')!r}]);"
        "print([m for m in ('tensorflow', 'keras', 'grpc', 'pandas') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"

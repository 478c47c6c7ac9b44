from __future__ import annotations

import itertools
import tomllib
from pathlib import Path

import pytest

from serving.deploy.settings import Settings
from serving.deploy.settings_file import read_settings, write_settings


def test_no_file_and_an_empty_one_are_the_defaults(tmp_path: Path) -> None:
    (tmp_path / "empty.toml").write_text("", encoding="utf-8")
    assert read_settings(None) == read_settings(tmp_path / "empty.toml") == Settings()


def test_what_is_written_is_read_again(tmp_path: Path) -> None:
    changes = [
        "model.name=shop",
        "model.canary=3",
        "batching.enable_batching=false",
        "server.per_process_gpu_memory_fraction=0.5",
        'kubernetes.allow_from_namespaces=["monitoring", "ingress"]',
    ]
    settings = read_settings(None, changes)
    path = tmp_path / "settings.toml"
    path.write_text(write_settings(settings), encoding="utf-8")
    assert read_settings(path) == settings
    assert settings.kubernetes.allow_from_namespaces == ("monitoring", "ingress")
    assert settings.batching.enable_batching is False


def test_the_written_file_explains_every_setting() -> None:
    lines = write_settings(Settings()).splitlines()
    for above, line in itertools.pairwise(lines):
        if " = " in line and not line.startswith("#"):
            assert above.startswith("# "), line
    assert len(tomllib.loads("\n".join(lines))["server"]) == 12


def test_the_command_line_counts_more_than_the_file(tmp_path: Path) -> None:
    path = tmp_path / "settings.toml"
    path.write_text('[model]\nname = "shop"\nstable = 2\n', encoding="utf-8")
    settings = read_settings(path, ["model.stable=1", "model.stable = 3"])
    assert (settings.model.name, settings.model.stable) == ("shop", 3)


def test_a_text_needs_no_quotes_on_the_command_line() -> None:
    assert read_settings(None, ["resources.cpu=4"]).resources.cpu == "4"
    assert read_settings(None, ['resources.cpu="8"']).resources.cpu == "8"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[modle]\nname = 'a'", "Unknown section of settings.*Did you mean 'model'"),
        (
            "[batching]\nmax_execution_batch = 8",
            r"\[batching\].*Did you mean 'max_execution_batch_size'",
        ),
        ("[model]\nstable = '1'", "model.stable must be a whole number. Received: '1'"),
        ("[model]\nstable = true", "model.stable must be a whole number. Received: True"),
        ("[batching]\nenable_batching = 1", "batching.enable_batching must be true or false"),
        ("[resources]\ncpu = 2", "resources.cpu must be a text in quotes"),
        ("[kubernetes]\nallow_from_namespaces = [1]", "must be a list of texts"),
        ("model = 'a'", r"'model' is a section: write \[model\] above it"),
        ("[model", "is not TOML"),
    ],
)
def test_a_wrong_file_is_refused_by_name(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ValueError, match=f"mine.toml.*{message}"):
        read_settings(path)


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("model.name", "must look like section.name=VALUE"),
        ("max_execution_batch_size=8", "Did you mean 'batching.max_execution_batch_size'"),
        ("batch.max_execution_batch_size=8", "Did you mean 'batching'"),
        ("server.prot=1", "Did you mean 'port'"),
        ("server.port=many", "server.port must be a whole number. Received: 'many'"),
    ],
)
def test_a_wrong_setting_is_refused_with_a_suggestion(override: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        read_settings(None, [override])


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"nowhere.toml.*--print-settings"):
        read_settings(tmp_path / "nowhere.toml")

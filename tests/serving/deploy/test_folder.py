from __future__ import annotations

import filecmp
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from serving.deploy.deployment import Deployment
from serving.deploy.folder import write_deployment
from serving.deploy.settings_file import read_settings

FILES = {
    "README.md",
    "settings.toml",
    "Dockerfile",
    ".dockerignore",
    "compose.yaml",
    "compose.gpu.yaml",
    "prometheus.yml",
    "kubernetes.yaml",
    "kserve.yaml",
    "config",
    "models",
}


def test_the_folder_has_all_files_and_the_models(
    plan: Callable[..., Deployment], model: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    write_deployment(out, plan("model.name=shop", "model.stable=1", "model.canary=3"))
    assert {path.name for path in out.iterdir()} == FILES
    assert {path.name for path in (out / "config").iterdir()} == {
        "models.config",
        "batching_parameters.txt",
        "monitoring.config",
    }
    versions = out / "models" / "shop"
    assert {path.name for path in versions.iterdir()} == {"1", "3"}
    for number in ("1", "3"):
        compared = filecmp.dircmp(model / "export" / number, versions / number)
        assert compared.left_list == compared.right_list
        assert not compared.diff_files


def test_the_server_can_read_what_was_written(
    plan: Callable[..., Deployment], tmp_path: Path
) -> None:
    """It runs as another user than the one that wrote the folder."""
    write_deployment(tmp_path / "out", plan())
    for path in (tmp_path / "out").rglob("*"):
        mode = path.stat().st_mode
        assert mode & stat.S_IROTH, path
        assert not path.is_dir() or mode & stat.S_IXOTH, path


def test_running_again_updates(plan: Callable[..., Deployment], tmp_path: Path) -> None:
    out = tmp_path / "out"
    write_deployment(out, plan("model.stable=1", "model.canary=2"))
    write_deployment(out, plan())
    assert [path.name for path in (out / "models" / "taxofuse").iterdir()] == ["3"]
    assert "versions: 2" not in (out / "config" / "models.config").read_text()


def test_the_settings_in_the_folder_make_the_same_folder(
    plan: Callable[..., Deployment], model: Path, tmp_path: Path
) -> None:
    write_deployment(tmp_path / "one", plan("model.name=shop", "model.stable=2"))
    settings = read_settings(tmp_path / "one" / "settings.toml")
    write_deployment(tmp_path / "two", Deployment.plan(model, settings))
    for name in FILES - {"config", "models"}:
        assert (tmp_path / "one" / name).read_text() == (tmp_path / "two" / name).read_text()


@pytest.mark.parametrize("place", [".", "1", "deployment"])
def test_the_folder_is_not_among_the_versions(
    plan: Callable[..., Deployment], model: Path, place: str
) -> None:
    with pytest.raises(ValueError, match="must not be among the versions"):
        write_deployment(model / "export" / place, plan())
    assert sorted(path.name for path in (model / "export").iterdir()) == ["1", "2", "3"]

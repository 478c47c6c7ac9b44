"""The deployment folder: every file of it, written together."""

from __future__ import annotations

import shutil
from pathlib import Path

from serving.deploy.containers import (
    build_compose,
    build_prometheus,
    write_dockerfile,
    write_dockerignore,
)
from serving.deploy.deployment import Deployment
from serving.deploy.kserve import build_kserve
from serving.deploy.kubernetes import build_kubernetes
from serving.deploy.readme import write_readme
from serving.deploy.server_config import write_server_config
from serving.deploy.settings_file import write_settings
from serving.deploy.whole_folder import replaced_folder
from serving.deploy.yaml_text import write_yaml

_MADE = "Made by `taxofuse deploy` from settings.toml.\n"


def write_files(deployment: Deployment) -> dict[str, str]:
    """Returns the text of each file by its path in the folder."""
    return {
        "README.md": write_readme(deployment),
        "settings.toml": write_settings(deployment.settings),
        **{f"config/{name}": text for name, text in write_server_config(deployment).items()},
        "Dockerfile": write_dockerfile(deployment),
        ".dockerignore": write_dockerignore(),
        "compose.yaml": write_yaml(
            [build_compose(deployment, gpu=False)],
            f"{_MADE}On a CPU: docker compose up --build --detach",
        ),
        "compose.gpu.yaml": write_yaml(
            [build_compose(deployment, gpu=True)],
            f"{_MADE}On a GPU: docker compose -f compose.gpu.yaml up --build --detach",
        ),
        "prometheus.yml": write_yaml(
            [build_prometheus(deployment)], f"{_MADE}For the Prometheus of the Compose files."
        ),
        "kubernetes.yaml": write_yaml(
            build_kubernetes(deployment), f"{_MADE}kubectl apply -f kubernetes.yaml"
        ),
        "kserve.yaml": write_yaml(
            build_kserve(deployment),
            f"{_MADE}In place of kubernetes.yaml: kubectl apply -f kserve.yaml",
        ),
    }


def write_deployment(out: Path, deployment: Deployment) -> None:
    """Writes the folder, whole or not at all; one that was written before is replaced.

    Args:
        out: Folder to write.
        deployment: What goes into it.

    Raises:
        FileExistsError: if `out` has files that are not ours.
        ValueError: if `out` is among the versions of the model.
    """
    _refuse_overlap(out, deployment)
    files = write_files(deployment)
    top = {Path(name).parts[0] for name in files} | {"models"}
    with replaced_folder(out, top) as folder:
        for name, text in files.items():
            path = folder / name
            path.parent.mkdir(exist_ok=True)
            path.write_text(text, encoding="utf-8")
        for number, version in deployment.served.folders.items():
            shutil.copytree(version, folder / "models" / deployment.name / str(number))


def _refuse_overlap(out: Path, deployment: Deployment) -> None:
    for version in deployment.served.folders.values():
        if out.resolve().is_relative_to(version.resolve().parent):
            raise ValueError(
                f"--out must not be among the versions of the model: TensorFlow Serving watches "
                f"{version.parent.absolute()}. Received: {out}."
            )

"""Write all that TensorFlow Serving needs to serve a model, into one folder.

  taxofuse deploy --model runs/1 --out deployment
  taxofuse deploy --print-settings > deployment.toml
  taxofuse deploy --model runs/1 --out deployment --settings deployment.toml --set image.device=gpu

The folder has the model, TensorFlow Serving's configuration (labels, batching,
metrics), a Dockerfile, Compose files for CPU and GPU, manifests for Kubernetes
and KServe, and a README with the exact commands. The same command again
replaces it.
"""

from __future__ import annotations

import argparse
from pathlib import Path

HELP = "files for TensorFlow Serving: Docker, Compose, Kubernetes, KServe"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declares the options of the command."""
    parser.add_argument("--model", type=Path, metavar="DIR", help="workdir or export")
    parser.add_argument("--out", type=Path, metavar="DIR", help="folder to write or replace")
    parser.add_argument("--settings", type=Path, metavar="FILE.toml", help="settings file")
    parser.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="section.name=VALUE",
        help="one setting; may be repeated",
    )
    parser.add_argument(
        "--print-settings",
        action="store_true",
        help="print the settings with what each means, and write nothing",
    )


def run(args: argparse.Namespace) -> int:
    """Writes the folder and prints its path."""
    from serving.deploy.settings_file import read_settings, write_settings

    settings = read_settings(args.settings, args.set)
    if args.print_settings:
        print(write_settings(settings), end="")
        return 0
    missing = [f"--{name}" for name in ("model", "out") if getattr(args, name) is None]
    if missing:
        raise ValueError(
            f"{' and '.join(missing)} must be given: the exported model, and the folder to write. "
            "Only --print-settings does without."
        )
    from serving.deploy.deployment import Deployment
    from serving.deploy.folder import write_deployment

    write_deployment(args.out, Deployment.plan(args.model, settings))
    print(args.out)
    return 0

"""The folder of a pipeline, as the sub-commands that look at it are told of it."""

from __future__ import annotations

import argparse
from contextlib import closing
from pathlib import Path

from components.metadata import FILE, Metadata

FOLDER = "pipeline"
"""In the workdir: artifacts and metadata."""
SERVING = "serving"
"""In the workdir: versions that were pushed."""


def add_workdir(parser: argparse.ArgumentParser) -> None:
    """Declares `--workdir`."""
    parser.add_argument(
        "--workdir",
        type=Path,
        required=True,
        metavar="DIR",
        help="of `taxofuse run` or `taxofuse pipeline run`",
    )


def find_root(args: argparse.Namespace) -> Path:
    """Returns the folder of the runner.

    Raises:
        FileNotFoundError: if nothing was run there.
    """
    root = args.workdir.absolute() / FOLDER
    if not (root / FILE).is_file():
        raise FileNotFoundError(
            f"No pipeline was run in {args.workdir}: {root / FILE} is missing. Give the --workdir "
            "of `taxofuse run` or `taxofuse pipeline run`."
        )
    return root


def opened(root: Path) -> closing[Metadata]:
    """Opens the metadata of a runner's folder, as a context."""
    return closing(Metadata(root / FILE))

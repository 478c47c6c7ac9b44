"""Write an exported model somewhere else, in a form that a server or device takes.

taxofuse export --model runs/1 --out models/products --format savedmodel
"""

from __future__ import annotations

import argparse
from pathlib import Path

HELP = "write the model for a server or a device"
_FORMATS = ("savedmodel",)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declares the options of the command."""
    parser.add_argument(
        "--model", type=Path, required=True, metavar="DIR", help="workdir or export"
    )
    parser.add_argument(
        "--out", type=Path, required=True, metavar="DIR", help="folder of numbered versions"
    )
    parser.add_argument("--format", choices=_FORMATS, default=_FORMATS[0])


def run(args: argparse.Namespace) -> int:
    """Copies the newest version as the next version below `--out`; prints its path."""
    import shutil

    from trainer.artefact import find_export
    from trainer.files import new_folder

    source = find_export(args.model)
    versions = [
        int(child.name)
        for child in (args.out.iterdir() if args.out.is_dir() else ())
        if child.name.isdigit()
    ]
    path = args.out / str(max(versions, default=0) + 1)
    with new_folder(path) as temporary:
        shutil.copytree(source, temporary, dirs_exist_ok=True)
    print(path)
    return 0

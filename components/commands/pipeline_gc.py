"""Remove what nothing refers to.

  taxofuse pipeline gc --workdir runs/1 --keep 5 --dry-run

Kept are the artifacts of the last runs, of what was pushed and is still among its versions,
and all that these were made from. What is known of what goes stays in the metadata.
"""

from __future__ import annotations

import argparse

from components.commands.workdir import add_workdir, find_root, opened
from components.garbage import find_garbage, measure, remove
from components.runner import locked

HELP = "remove artifacts that nothing refers to"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declares the options of the sub-command."""
    add_workdir(parser)
    parser.add_argument(
        "--keep", type=int, default=10, metavar="N", help="runs whose artifacts stay (10)"
    )
    parser.add_argument("--dry-run", action="store_true", help="say what would go, remove nothing")


def run(args: argparse.Namespace) -> int:
    """Removes, and prints what."""
    root = find_root(args)
    with locked(root), opened(root) as metadata:
        garbage = find_garbage(root, metadata, args.keep)
        size = measure(garbage) / 2**20
        for one in garbage:
            for folder in one.folders:
                print(f"{folder.relative_to(root)}  {one.why}")
            if not args.dry_run:
                remove(one, metadata)
    count = sum(len(one.folders) for one in garbage)
    print(f"{count} folders, {size:.1f} MB {'would be' if args.dry_run else 'were'} removed")
    return 0

"""Make an earlier pushed version live again, as a new highest version.

  taxofuse pipeline rollback --workdir runs/1

Servers that watch the folder load it as they load any version. The version that was live is
withdrawn: pipelines do not push the same model again; `--to` its number takes that back.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from components.commands.workdir import add_workdir, find_root, opened
from components.metadata import Metadata
from components.pusher.roll_back import find_pushes, roll_back
from components.runner import locked
from trainer.registry import unknown

HELP = "make an earlier pushed version live again"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declares the options of the sub-command."""
    add_workdir(parser)
    parser.add_argument(
        "--to",
        type=int,
        default=0,
        metavar="VERSION",
        help="which (the newest that is another model and was not rolled back itself)",
    )
    parser.add_argument(
        "--step", default="", metavar="NAME", help="that pushed, where there are several"
    )


def run(args: argparse.Namespace) -> int:
    """Rolls back and prints what is live now."""
    root = find_root(args)
    with locked(root), opened(root) as metadata:
        node = _find_node(metadata, args.step)
        destination = Path(find_pushes(metadata, node)[-1].parameters["destination"])
        told = roll_back(destination, metadata, to=args.to, node=node).properties
    print(
        f"Version {told['version']} is live in {destination}: the model of version "
        f"{told['restored']}, instead of version {told['instead_of']}"
    )
    return 0


def _find_node(metadata: Metadata, name: str) -> str:
    pushers = {of.node for of in metadata.executions() if of.component == "Pusher"}
    nodes = sorted(node for node in pushers if find_pushes(metadata, node))
    if not nodes:
        raise ValueError("Nothing was pushed yet, so there is nothing to go back to.")
    if name and name not in nodes:
        raise ValueError(unknown("step that pushed", name, nodes))
    if not name and len(nodes) > 1:
        raise ValueError(f"Several steps pushed: {nodes}. Name one with --step.")
    return name or nodes[0]

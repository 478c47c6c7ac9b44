"""Steps that know what they have done: what ran, what came of what, what can go.

taxofuse pipeline run --data products.csv --label category --workdir runs/1
taxofuse pipeline status --workdir runs/1
taxofuse pipeline lineage --workdir runs/1 runs/1/serving/3 --out lineage.svg
taxofuse pipeline rollback --workdir runs/1
taxofuse pipeline gc --workdir runs/1 --dry-run
"""

from __future__ import annotations

import argparse
import importlib

HELP = "steps that know what they have done: run, status, lineage, rollback, gc"
_COMMANDS = {
    "run": "components.commands.pipeline_run",
    "status": "components.commands.pipeline_status",
    "lineage": "components.commands.pipeline_lineage",
    "rollback": "components.commands.pipeline_rollback",
    "gc": "components.commands.pipeline_gc",
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declares the sub-commands and their options."""
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    for name, place in _COMMANDS.items():
        module = importlib.import_module(place)
        action = actions.add_parser(
            name,
            help=module.HELP,
            description=module.__doc__,
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        module.add_arguments(action)
        action.set_defaults(parser=action)


def run(args: argparse.Namespace) -> int:
    """Runs the sub-command."""
    return importlib.import_module(_COMMANDS[args.action]).run(args)

"""The command line: `taxofuse COMMAND ...`.

Commands are found as entry points of the group `taxofuse.commands`, so that
each package brings its own. A command is a module with `HELP`,
`add_arguments(parser)` and `run(args) -> int`; it imports what is heavy only
when it runs.
"""

from __future__ import annotations

import argparse
import logging
import os
import sys
import traceback
from collections.abc import Sequence
from importlib.metadata import entry_points, version

from trainer.registry import unknown

GROUP = "taxofuse.commands"
_ORDER = (
    "demo-data",
    "run",
    "pipeline",
    "train",
    "clean",
    "evaluate",
    "robustness",
    "predict",
    "export",
    "serve",
    "load",
    "explain",
)


def build_parser() -> argparse.ArgumentParser:
    """Builds the parser of all commands."""
    parser = argparse.ArgumentParser(
        prog="taxofuse",
        description="Multimodal product classification: from a table to a served model.",
    )
    parser.add_argument("--version", action="version", version=f"taxofuse {version('taxofuse')}")
    parser.add_argument("--debug", action="store_true", help="show the traceback of an error")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    found = {point.name: point for point in entry_points(group=GROUP)}
    known = [name for name in _ORDER if name in found]
    for name in [*known, *sorted(set(found) - set(known))]:
        module = found[name].load()
        command = commands.add_parser(
            name,
            help=module.HELP,
            description=module.__doc__,
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        module.add_arguments(command)
        command.set_defaults(run=module.run, parser=command)
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs a command.

    Returns:
        0 fine, 1 the work failed, 2 the call was wrong.
    """
    args, extra = build_parser().parse_known_args(arguments)
    if extra:
        # Left to argparse, the message would show no option of the command.
        options = [name for name in args.parser._option_string_actions if name.startswith("--")]
        wrong = next((word for word in extra if word.startswith("-")), extra[0])
        args.parser.error(unknown("option", wrong.split("=")[0], options))
    # TensorFlow's own start-up lines would bury what the command says.
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    logging.basicConfig(stream=sys.stderr, level=logging.INFO, format="%(message)s")
    for name in ("tensorflow", "absl", "h5py", "matplotlib", "kagglehub"):
        logging.getLogger(name).setLevel(logging.ERROR)
    try:
        return args.run(args)
    except (ValueError, FileNotFoundError, FileExistsError) as error:
        if args.debug:
            traceback.print_exc()
        print(f"taxofuse {args.command}: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("\nInterrupted. The same command goes on from here.", file=sys.stderr)
        return 130
    except Exception as error:
        if args.debug:
            traceback.print_exc()
        print(
            f"taxofuse {args.command} failed: {type(error).__name__}: {error}\n"
            f"Run `taxofuse --debug {args.command} ...` for the traceback.",
            file=sys.stderr,
        )
        return 1


if __name__ == "__main__":
    sys.exit(main())

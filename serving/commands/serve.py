"""Serve an exported model with TF Serving's protocols, REST and gRPC.

  taxofuse serve --model runs/1
  curl localhost:8501/v1/models/taxofuse/metadata

For a first run, for tests and for small loads on CPU; the same folder, requests
and clients work with TF Serving. New versions in the model's folder are loaded,
and old ones unloaded, without an error to a client. SIGTERM ends it when every
accepted request is answered.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections.abc import Callable, Coroutine
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from serving.server.settings import ModelSettings, ServerSettings

HELP = "serve a model over REST and gRPC, as TF Serving does"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declares the options of the command."""
    add = parser.add_argument
    add(
        "--model",
        type=Path,
        required=True,
        metavar="DIR",
        help="workdir, folder of versions (followed), or one version",
    )
    add("--name", default="taxofuse", help="of the model, in URLs and requests (taxofuse)")
    add("--host", default="127.0.0.1", help="address to listen on (127.0.0.1: this machine only)")
    add("--port", type=int, default=8501, metavar="P", help="REST and page (8501; 0: any free)")
    add("--grpc-port", type=int, default=8500, metavar="P", help="gRPC (8500; 0: any free)")
    versions = parser.add_argument_group("versions")
    add = versions.add_argument
    add(
        "--versions",
        default="1",
        metavar="N|all|=A,B",
        help="the newest N (1), all, or those with the numbers A and B",
    )
    add(
        "--label",
        action="append",
        default=[],
        metavar="LABEL=VERSION",
        help="such as stable=3; repeatable",
    )
    add("--poll", type=float, default=1.0, metavar="S", help="seconds between looks for versions")
    batching = parser.add_argument_group("batching")
    add = batching.add_argument
    add(
        "--max-batch",
        type=int,
        default=0,
        metavar="ROWS",
        help="largest request (what the model declares)",
    )
    add(
        "--join",
        type=int,
        default=0,
        metavar="ROWS",
        help="join waiting requests up to this (measured at start; 1: never)",
    )
    add(
        "--batch-timeout",
        type=float,
        default=0.0,
        metavar="MS",
        help="milliseconds to wait for more to join (0)",
    )
    add(
        "--queue",
        type=int,
        default=0,
        metavar="N",
        help="batches that may wait; requests beyond are refused (as many as are soon answered)",
    )
    add("--threads", type=int, default=0, metavar="N", help="batches run at once (the cores)")
    limits = parser.add_argument_group("limits")
    add = limits.add_argument
    add("--max-body", type=float, default=64, metavar="MB", help="largest request (64)")
    add("--deadline", type=float, default=30, metavar="S", help="for an answer (30)")
    add("--drain", type=float, default=30, metavar="S", help="to end in after SIGTERM (30)")
    add(
        "--access-log",
        default="-",
        metavar="FILE",
        help="JSON lines without product content; '-' for stderr (default), '' for none",
    )


def run(args: argparse.Namespace) -> int:
    """Serves until it is told to stop."""
    settings = build_settings(args)
    from serving.server.ports import bind

    # Told at once, not after the seconds that TensorFlow takes to load.
    bind(args.host, args.port, "--port").close()
    bind(args.host, args.grpc_port, "--grpc-port").close()
    print(f"Loading {settings.models[0].base} ...", file=sys.stderr)
    from serving.server.lifecycle import serve

    return run_loop(serve(settings))


def build_settings(args: argparse.Namespace) -> ServerSettings:
    """Reads the options.

    Raises:
        ValueError: if one is out of its range.
        FileNotFoundError: if there is no model.
    """
    from serving.server.settings import (
        MEGABYTE,
        BatchSettings,
        Limits,
        ServerSettings,
        count_cores,
    )

    return ServerSettings(
        models=(_build_model(args),),
        host=args.host,
        rest_port=args.port,
        grpc_port=args.grpc_port,
        threads=args.threads or count_cores(),
        poll=args.poll,
        drain=args.drain,
        access_log=args.access_log,
        batch=BatchSettings(args.max_batch, args.join, args.batch_timeout / 1000, args.queue),
        limits=Limits(body=int(args.max_body * MEGABYTE), deadline=args.deadline),
    )


def run_loop(main: Coroutine[Any, Any, int]) -> int:
    """Runs a coroutine on uvloop, or on Python's own loop where that is missing."""
    make_loop: Callable[[], asyncio.AbstractEventLoop] = asyncio.new_event_loop
    with suppress(ImportError):  # there is none for Windows
        from uvloop import new_event_loop as make_loop
    with asyncio.Runner(loop_factory=make_loop) as runner:
        return runner.run(main)


def _build_model(args: argparse.Namespace) -> ModelSettings:
    from serving.server.settings import ModelSettings, VersionPolicy
    from trainer.artefact import find_export

    newest = find_export(args.model)
    follows = newest != args.model and newest.name.isdigit()
    text = args.versions
    try:
        if text == "all":
            policy = VersionPolicy(latest=0)
        elif text.startswith("="):
            numbers = tuple(int(number) for number in text[1:].split(","))
            policy = VersionPolicy(latest=0, specific=numbers)
        else:
            policy = VersionPolicy(latest=int(text) or -1)
    except ValueError as error:
        raise ValueError(
            "--versions is a number above 0, `all`, or `=` and numbers such as =1,3. "
            f"Received: {text}."
        ) from error
    labels = []
    for label in args.label:
        name, _, number = label.partition("=")
        if not name or not number.isdigit():
            raise ValueError(f"--label is LABEL=VERSION, such as stable=3. Received: {label}.")
        labels.append((name, int(number)))
    base = (newest.parent if follows else newest).absolute()
    return ModelSettings(args.name, base, policy, tuple(labels))

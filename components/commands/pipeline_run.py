"""Run the steps from a table to a pushed model that have something new to do.

taxofuse pipeline run --data products.csv --label category --workdir runs/1
taxofuse pipeline run ... --param Evaluator.min_accuracy=0.9
taxofuse pipeline run --data 'deliveries/{SPAN}.csv' --span 4 --label category --workdir runs/1

A step is done again when its inputs, its parameters or its code have changed; the same
command again goes on where it was interrupted, and does nothing where nothing is new.
A span is compared with what the model in use has learned from. Where it has changed, a
model is trained from there, and takes over if it is no worse on old and new test rows.
Blessed models are versions of `<workdir>/serving`, which a server can watch.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from components.commands.workdir import FOLDER, SERVING
from trainer.cluster import read_cluster
from trainer.commands.configure import add_training_arguments, configure

if TYPE_CHECKING:
    from components.runner import Result

HELP = "from a table to a pushed model, and nothing twice"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declares the options of the sub-command."""
    add_training_arguments(parser)
    parser.add_argument(
        "--param",
        action="append",
        default=[],
        metavar="STEP.NAME=VALUE",
        help="a parameter of a step, such as Evaluator.min_accuracy=0.9; may be repeated",
    )
    parser.add_argument(
        "--engine",
        default=os.environ.get("TAXOFUSE_ENGINE", "local"),
        metavar="ENGINE",
        help="what does the work in shards: local, beam, beam:dask:tcp://HOST:PORT (local)",
    )
    spans = parser.add_argument_group("deliveries of data, one after the other")
    spans.add_argument(
        "--span", type=int, metavar="N", help="the new one; its number is {SPAN} in --data"
    )
    spans.add_argument(
        "--rehearse",
        type=float,
        default=1.0,
        metavar="SHARE",
        help="of the training rows of earlier spans that are learned again, or their number (1)",
    )
    spans.add_argument(
        "--retrain", action="store_true", help="also where the data have not changed"
    )
    spans.add_argument(
        "--retrain-every", type=int, default=0, metavar="N", help="spans, and where they have"
    )
    parser.add_argument("--tune", action="store_true", help="search for better settings first")
    parser.add_argument("--quantize", action="store_true", help="make a model for devices, too")
    parser.add_argument("--parallel", type=int, default=2, metavar="N", help="steps at once (2)")


def run(args: argparse.Namespace) -> int:
    """Runs the pipeline; 1 where a step failed."""
    if read_cluster().size > 1:
        raise ValueError(
            "A pipeline has one process that runs it: unset TF_CONFIG. Several workers train one "
            "network by `taxofuse train`, and share the work in shards by --engine."
        )
    config = configure(args)
    from components.commands.workdir import opened
    from components.continual import find_earlier_spans, reason_to_train
    from components.default_pipeline import Span, build_default_pipeline
    from components.pusher.pushed import describe_other
    from components.pusher.versions import Versions
    from components.runner import Runner

    span = None
    if args.span is not None:
        earlier = find_earlier_spans(config.data.table, args.span)
        span = Span(args.span, earlier, args.rehearse if earlier else 0.0)
    workdir = args.workdir.absolute()
    pipeline = build_default_pipeline(
        config,
        workdir / SERVING,
        read_parameters(args.param),
        span=span,
        tune=args.tune,
        quantize=args.quantize,
    )
    os.environ["TAXOFUSE_ENGINE"] = args.engine  # of the workers' processes
    runner = Runner(workdir / FOLDER, parallel=args.parallel, say=_say)
    properties = {} if span is None else {"span": span.span}
    if span is not None and not args.retrain:
        results = runner.run(pipeline.until("ExampleValidator"), properties)
        if _tell_failed(results):
            return 1
        with opened(workdir / FOLDER) as metadata:
            reason = reason_to_train(metadata, results, span.span, args.retrain_every)
        if not reason:
            print(f"span {span.span}: nothing has changed that the model in use does not know")
            return 0
        _say(f"Training, because {reason}")
    results = runner.run(pipeline, properties)
    if _tell_failed(results):
        return 1
    versions = Versions(Path(pipeline["Pusher"].parameters.destination))
    if other := describe_other(results["Pusher"].outputs["pushed_model"].uri, versions):
        _say(other)
    for name, result in results.items():
        for output, artifact in result.outputs.items():
            print(f"{name}.{output:<22} {os.path.relpath(artifact.uri)}")
    return 0


def _tell_failed(results: Mapping[str, Result]) -> bool:
    failed = [name for name, result in results.items() if result.outcome == "failed"]
    if failed:
        print(f"failed: {', '.join(failed)}", file=sys.stderr)
    return bool(failed)


def read_parameters(settings: Sequence[str]) -> Mapping[str, Mapping[str, Any]]:
    """Reads `STEP.NAME=VALUE`; a value that is JSON is read as such, else as text.

    Raises:
        ValueError: for what does not look so.
    """
    found: dict[str, dict[str, Any]] = {}
    for setting in settings:
        path, equals, value = setting.partition("=")
        step, dot, name = path.strip().partition(".")
        if not equals or not dot:
            raise ValueError(f"--param is STEP.NAME=VALUE. Received: {setting!r}.")
        try:
            found.setdefault(step, {})[name] = json.loads(value)
        except json.JSONDecodeError:
            found.setdefault(step, {})[name] = value.strip()
    return found


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)

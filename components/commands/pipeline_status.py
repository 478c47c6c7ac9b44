"""Tell what became of the last run of a pipeline, and of those before.

taxofuse pipeline status --workdir runs/1
taxofuse pipeline status --workdir runs/1 --json | jq .runs[-1].steps
"""

from __future__ import annotations

import argparse
import json
import time
from dataclasses import asdict

from components.commands.workdir import add_workdir, find_root, opened
from components.history import CACHED, OutputRecord, RunRecord, StepRecord, read_runs
from components.runner import is_locked

HELP = "what became of the last runs and their steps"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declares the options of the sub-command."""
    add_workdir(parser)
    parser.add_argument("--runs", type=int, default=10, metavar="N", help="how many runs (10)")
    parser.add_argument("--json", action="store_true", help="all of it, for programs")


def run(args: argparse.Namespace) -> int:
    """Prints the runs."""
    if args.runs < 1:
        raise ValueError(f"--runs must be at least 1. Received: {args.runs}.")
    root = find_root(args)
    with opened(root) as metadata:
        runs = read_runs(metadata, args.runs, is_locked(root))
    if args.json:
        print(json.dumps({"runs": [_to_json(one) for one in runs]}, indent=2, ensure_ascii=False))
    elif runs:
        print("\n".join([*_describe_last(runs[-1]), "", *_describe_all(runs)]))
    return 0


def _to_json(run: RunRecord) -> dict[str, object]:
    told = {**asdict(run), "outcome": run.outcome}
    for step in told["steps"]:
        for output in step["outputs"].values():
            output["uri"] = str(output["uri"])
    return told


def _describe_last(run: RunRecord) -> list[str]:
    lines = [f"Run {run.id} of {run.pipeline}, {_when(run.started)}: {_how(run)}"]
    width = max((len(step.node) for step in run.steps), default=0)
    for step in run.steps:
        outputs = ", ".join(_describe_output(*item) for item in step.outputs.items())
        told = step.error.splitlines()[0] if step.error else outputs
        lines.append(f"  {step.node:<{width}}  {step.outcome:<11}  {_seconds(step):>9}  {told}")
    return lines


def _describe_all(runs: list[RunRecord]) -> list[str]:
    lines = ["Run  Started              Outcome      Seconds  Steps"]
    for run in runs:
        seconds = "" if run.seconds is None else f"{run.seconds:.1f}"
        counts = ", ".join(f"{count} {outcome}" for outcome, count in sorted(run.counts.items()))
        told = "".join(f"  {name}={value}" for name, value in run.properties.items())
        lines.append(
            f"{run.id:>3}  {_when(run.started)}  {run.outcome:<11}  {seconds:>7}  {counts}{told}"
        )
    return lines


def _describe_output(name: str, output: OutputRecord) -> str:
    if output.properties.get("empty"):
        return f"{name} (nothing: {output.properties.get('reason', 'empty')})"
    return f"{name} (removed)" if output.bytes is None else f"{name} {_megabytes(output.bytes)}"


def _how(run: RunRecord) -> str:
    return run.outcome if run.seconds is None else f"{run.outcome} in {run.seconds:.1f} s"


def _seconds(step: StepRecord) -> str:
    return "" if step.seconds is None or step.outcome == CACHED else f"{step.seconds:.1f} s"


def _megabytes(size: int) -> str:
    return f"{size / 2**20:.1f} MB" if size >= 2**20 else f"{size / 2**10:.1f} kB"


def _when(seconds: float) -> str:
    return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(seconds))

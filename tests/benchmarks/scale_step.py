"""Runs one step once, for `scale.py`: seconds and memory as JSON on the last line."""

from __future__ import annotations

import json
import os
import resource
import sys
import time
from importlib import import_module
from pathlib import Path
from typing import Any

from components.content import fingerprint


def main() -> None:
    """Reads `[step, inputs, output, parameters, scratch]` as JSON from the command line."""
    step, given, output, told, scratch = json.loads(sys.argv[1])
    component = import_module(f"components.{step}.component").COMPONENT
    parameters = component.make_parameters(told)
    inputs = dict.fromkeys(component.inputs) | {name: Path(of) for name, of in given.items()}
    (name,) = component.outputs
    execute = import_module(component.executor).execute
    for module in ("tensorflow", "components.engines.local"):
        import_module(module)
    if os.environ["TAXOFUSE_ENGINE"] != "local":
        import_module("apache_beam.runners.dask.dask_runner")
    start = time.perf_counter()
    fingerprint(component.reads(parameters))
    read = time.perf_counter() - start
    start, cpu = time.perf_counter(), time.process_time()
    seconds = {"plan": plan(parameters, Path(scratch))} if step == "example_gen" else {}
    execute(inputs, {name: Path(output)}, parameters, Path(scratch))
    seconds["read"] = read if step == "example_gen" else 0.0
    seconds["all"] = time.perf_counter() - start
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    print(json.dumps({"seconds": seconds, "memory": memory, "cpu": time.process_time() - cpu}))


def plan(parameters: Any, scratch: Path) -> float:
    """Makes the plan of ExampleGen; returns the seconds that were not spent on shards."""
    from components.example_gen import grouper
    from components.example_gen.make_plan import make_plan

    run_shards = grouper.run_shards
    spent = []

    def timed(*given: Any) -> list[Any]:
        start = time.perf_counter()
        found = list(run_shards(*given))
        spent.append(time.perf_counter() - start)
        return found

    grouper.run_shards = timed
    start = time.perf_counter()
    make_plan(parameters, scratch, lambda line: None).write(scratch)
    return time.perf_counter() - start - sum(spent)


if __name__ == "__main__":
    main()

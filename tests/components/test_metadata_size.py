"""The metadata of a hundred runs are small, also while a runner writes."""

import json
from pathlib import Path

import pytest

from components import runner as module
from components.artifact import Artifact
from components.metadata import FILE, Metadata
from components.pipeline import Node, Output, Pipeline
from components.runner import Outcome, Runner
from components.worker import StepFailed

STEPS = 12
RUNS = 100


@pytest.fixture
def no_processes(monkeypatch):
    """Does steps in this process; those that are told to fail do, with a long story."""

    class Here:
        def execute(self, step):
            if '"raise"' in step.parameters:
                raise StepFailed("a long story. " * 10_000)
            for folder in step.outputs.values():
                (folder / "text").write_text(step.parameters)
            return {"examples": {"rows": 1000, "span": 3}}

        def stop(self):
            pass

    monkeypatch.setattr(module, "Worker", Here)


@pytest.fixture
def chain(toys, tmp_path):
    """Returns a function that makes a pipeline of 12 steps, one of which may be changed."""
    table = tmp_path / "table"
    table.write_text("a")

    def make(changed=0, by="+"):
        double = toys["toy_double"]
        read = Node(toys["toy_read"], {}, toys["toy_read"].make_parameters({"file": str(table)}))
        nodes = [read]
        for place in range(1, STEPS):
            # As long as a configuration of the real ones.
            told = {"by": by if place == changed else "-" * 3000}
            before = {"examples": Output(nodes[-1].name, "examples")}
            nodes.append(Node(double, before, double.make_parameters(told), f"Double{place}"))
        return Pipeline("chain", nodes)

    return make


def size(root):
    return sum(path.stat().st_size for path in root.glob(f"{FILE}*"))


def test_below_a_megabyte_after_100_runs_of_12_steps(no_processes, chain, tmp_path):
    root, largest, seen = tmp_path / "root", 0, set()

    def say(line):
        nonlocal largest
        largest = max(largest, size(root))

    for number in range(RUNS):
        if number % 10 == 3:
            pipeline = chain(changed=STEPS - 2, by=f"changed {number}")
        elif number % 10 == 6:
            pipeline = chain(changed=STEPS - 3, by="raise")
        else:
            pipeline = chain()
        results = Runner(root, say=say).run(pipeline)
        seen |= {result.outcome for result in results.values()}
    assert seen == set(Outcome)
    assert size(root) < 1_000_000
    # With what SQLite keeps beside it.
    assert largest < 1_000_000


def test_below_a_megabyte_also_where_each_run_has_new_data(tmp_path):
    """As with a span a run: nothing is found in the cache, and configurations are the same."""
    metadata = Metadata(tmp_path / FILE)
    configuration = json.dumps({"config": "-" * 2000})
    for run in range(RUNS):
        context = metadata.begin_run("spans", {"span": run})
        read: dict[str, Artifact] = {}
        for step in range(STEPS):
            digest = f"{run * STEPS + step:032x}"
            execution = metadata.begin_execution(
                context, f"Step{step}", "Step", digest, configuration, digest, digest, read
            )
            folder = Path(f"/home/somebody/catalogue/runs/1/pipeline/Step{step}/output/{execution}")
            made = Artifact("Model", folder, digest, {"accuracy": 0.9, "num_examples": 1000})
            noted = metadata.complete(execution, {"output": made})
            read = dict.fromkeys(("first", "second"), noted["output"])
        assert metadata.execution(execution).parameters == configuration
    metadata.close()
    assert size(tmp_path) < 1_000_000

"""What runs, what does not, and what is left when something fails."""

import dataclasses
import os
import random
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from components.metadata import FILE, Metadata, State
from components.pipeline import Node, Pipeline
from components.runner import Outcome, Runner, is_locked, locked
from components.worker import Step, StepFailed, Worker

ROOT = Path(__file__).parents[2]


@pytest.fixture
def run(tmp_path):
    """Returns a function that runs a pipeline and returns its results."""
    lines = []

    def go(pipeline, **options):
        return Runner(tmp_path / "root", say=lines.append, **options).run(pipeline)

    go.root, go.lines = tmp_path / "root", lines
    return go


def outcomes(results):
    return {name: str(result.outcome) for name, result in results.items()}


def made(results, name="Join", output="model"):
    return (results[name].outputs[output].uri / "text").read_text()


ALL = {"Read", "Plus", "Minus", "Join"}


def test_a_second_run_does_nothing(diamond, run):
    first = run(diamond())
    assert made(first) == "a+a&a-a"
    assert outcomes(first) == dict.fromkeys(ALL, "done")
    second = run(diamond())
    assert outcomes(second) == dict.fromkeys(ALL, "cached")
    assert second["Join"].outputs == first["Join"].outputs
    assert first["Read"].outputs["examples"].properties == {"span": 3}


def test_a_parameter_reruns_its_step_and_what_follows(diamond, run):
    run(diamond())
    results = run(diamond(second="*"))
    assert outcomes(results) == {
        "Read": "cached",
        "Plus": "cached",
        "Minus": "done",
        "Join": "done",
    }
    assert made(results) == "a+a&a*a"
    # What was made before is still known.
    assert outcomes(run(diamond())) == dict.fromkeys(ALL, "cached")


def test_a_file_that_changes_reruns_what_depends_on_it(diamond, run):
    run(diamond())
    diamond.table.write_text("b")
    assert made(run(diamond())) == "b+b&b-b"
    # Another time, the same content: only the reading of it is done over.
    diamond.table.write_text("a")
    os.utime(diamond.table, (1, 1))
    assert outcomes(run(diamond())) == dict.fromkeys(ALL, "cached")


def test_a_step_that_makes_the_same_ends_the_change(diamond, run, toys):
    run(diamond())
    results = run(diamond(pause=0.01))
    assert outcomes(results) == {
        "Read": "cached",
        "Plus": "done",
        "Minus": "done",
        "Join": "cached",
    }


def test_code_that_changes_reruns_its_steps(diamond, run, forget_code, tmp_path):
    run(diamond())
    executor = tmp_path / "packages" / "toy_double" / "executor.py"
    executor.write_text(executor.read_text().replace("text + ", "text + '!' + "))
    forget_code()
    results = run(diamond())
    assert outcomes(results) == {"Read": "cached", "Plus": "done", "Minus": "done", "Join": "done"}
    assert made(results) == "a!+a&a!-a"


def test_artifacts_that_were_removed_are_made_again(diamond, run):
    first = run(diamond())
    for file in (uri := first["Plus"].outputs["examples"].uri).iterdir():
        file.unlink()
    uri.rmdir()
    results = run(diamond())
    assert outcomes(results) == {
        "Read": "cached",
        "Plus": "done",
        "Minus": "cached",
        "Join": "cached",
    }


@pytest.mark.parametrize(
    ("by", "told"), [("raise", "the parameter `by` says so"), ("die", "killed by signal 9")]
)
def test_a_step_that_fails_costs_only_what_waits_for_it(diamond, run, by, told):
    results = run(diamond(first=by))
    assert outcomes(results) == {
        "Read": "done",
        "Plus": "failed",
        "Minus": "done",
        "Join": "skipped",
    }
    assert told in results["Plus"].error
    assert results["Join"].error == "Plus has made nothing"
    assert any(line.startswith("Plus") and told in line for line in run.lines)
    assert not list((run.root / "Plus").glob("*/*"))
    again = run(diamond())
    assert outcomes(again) == {"Read": "cached", "Plus": "done", "Minus": "cached", "Join": "done"}


def test_what_an_interrupted_step_left_in_its_scratch_is_there_again(diamond, run):
    run(diamond(first="raise"))
    run(diamond(first="raise"))
    (tries,) = (run.root / ".scratch").glob("Plus-*/tries")
    assert tries.read_text() == ".."
    run(diamond())
    assert not list((run.root / ".scratch").glob("Minus-*"))


def test_steps_that_do_not_wait_for_each_other_run_at_once(diamond, run):
    run(diamond(pause=1.0), parallel=2)
    metadata = Metadata(run.root / FILE)
    plus, minus = (metadata.executions(node=name)[0] for name in ("Plus", "Minus"))
    assert max(plus.started, minus.started) < min(plus.ended, minus.ended)


def test_a_folder_that_was_moved_is_gone_on_with(diamond, run, tmp_path):
    run(diamond())
    run.root.rename(tmp_path / "elsewhere")
    results = Runner(tmp_path / "elsewhere", say=run.lines.append).run(diamond())
    assert outcomes(results) == dict.fromkeys(ALL, "cached")
    assert results["Join"].outputs["model"].uri.is_relative_to(tmp_path / "elsewhere")


def test_a_file_that_changes_meanwhile_costs_the_step(run, toys, import_components, tmp_path):
    table = tmp_path / "table"
    table.write_text("a")
    change = """
from pathlib import Path
def execute(inputs, outputs, parameters, scratch):
    (outputs["examples"] / "text").write_text(Path(parameters.file).read_text())
    Path(parameters.file).write_text("b" * 2)
"""
    same = """
from dataclasses import replace
from toy_read.component import COMPONENT as READ
COMPONENT = replace(READ, package=__package__)
"""
    component = import_components({"toy_change": (same, change)})["toy_change"]
    read = Node(component, {}, component.make_parameters({"file": str(table)}))
    results = run(Pipeline("change", [read]))
    assert "have changed meanwhile" in results["Read"].error
    assert not list((run.root / "Read").glob("*/*"))
    assert not list((run.root / ".scratch").glob("*"))
    assert outcomes(run(Pipeline("change", [read]))) == {"Read": "done"}


def test_what_cannot_be_looked_at_costs_only_what_waits_for_it(diamond, run, toys, monkeypatch):
    def refuse(parameters):
        if parameters.by == "-":
            raise PermissionError("the disk is away")
        return parameters

    component = dataclasses.replace(toys["toy_double"], decides=refuse)
    pipeline = diamond()
    nodes = [
        dataclasses.replace(node, component=component) if node.name in ("Plus", "Minus") else node
        for node in pipeline.nodes
    ]
    results = run(Pipeline("diamond", nodes))
    assert outcomes(results) == {
        "Read": "done",
        "Plus": "done",
        "Minus": "failed",
        "Join": "skipped",
    }
    assert results["Minus"].error == "PermissionError: the disk is away"


def test_a_folder_that_the_metadata_have_forgotten_is_no_obstacle(diamond, run):
    """As after a power cut."""
    run(diamond())
    for path in run.root.glob(f"{FILE}*"):
        path.unlink()
    assert outcomes(run(diamond(first="!"))) == dict.fromkeys(ALL, "done")


def test_who_asks_whether_a_runner_works_stops_none(diamond, run):
    run(diamond())
    with ThreadPoolExecutor(1) as pool:
        ended = threading.Event()

        def ask():
            while not ended.is_set():
                assert is_locked(run.root) in (False, True)

        asking = pool.submit(ask)
        for _ in range(5):
            with locked(run.root):
                assert is_locked(run.root)
        ended.set()
        asking.result()
    assert not is_locked(run.root)


def test_a_worker_that_was_stopped_starts_no_process():
    worker = Worker()
    worker.stop()
    step = Step("toy_read", {}, {}, "{}", Path("scratch"))
    with pytest.raises(StepFailed, match="stopped before it began"):
        worker.execute(step)


def test_one_runner_at_a_time(diamond, run):
    with locked(run.root), pytest.raises(ValueError, match="Another run works in"):
        run(diamond())


SCRIPT = """
import sys
sys.path[:0] = {paths!r}
from pathlib import Path
from components.pipeline import Node, Output, Pipeline
from components.runner import Runner
import toy_read.component, toy_double.component, toy_join.component
read = toy_read.component.COMPONENT
double = toy_double.component.COMPONENT
join = toy_join.component.COMPONENT
examples = Output("Read", "examples")
Runner(Path({root!r}), say=print).run(Pipeline("diamond", [
    Node(read, {{}}, read.make_parameters({{"file": {table!r}}})),
    Node(double, {{"examples": examples}}, double.make_parameters({{"pause": 0.1}}), "Plus"),
    Node(double, {{"examples": examples}},
         double.make_parameters({{"by": "-", "pause": 0.2}}), "Minus"),
    Node(join, {{"first": Output("Plus", "examples"), "second": Output("Minus", "examples")}}),
]))
"""


def test_killed_at_any_moment_it_ends_with_the_same(diamond, tmp_path):
    """The same artifacts as an uninterrupted run, and no orphan among them."""
    packages = tmp_path / "packages"
    drawn = random.Random(0)

    def start(root):
        code = SCRIPT.format(
            paths=[str(packages), str(ROOT)], root=str(root), table=str(diamond.table)
        )
        return subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.DEVNULL, cwd=ROOT)

    began = time.monotonic()
    assert start(tmp_path / "whole").wait() == 0
    whole = time.monotonic() - began
    expected = contents(tmp_path / "whole")
    assert len(expected) == 5
    stopped = 0
    for _ in range(20):
        process = start(tmp_path / "killed")
        try:
            process.wait(drawn.uniform(0, whole))
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
            stopped += process.wait() == -signal.SIGKILL
        if process.returncode == 0:
            # Done: the next is to be interrupted too.
            assert contents(tmp_path / "killed") == expected
            (tmp_path / "killed").rename(tmp_path / f"killed-{time.monotonic_ns()}")
    assert stopped >= 10
    assert start(tmp_path / "killed").wait() == 0
    assert contents(tmp_path / "killed") == expected
    metadata = Metadata(tmp_path / "killed" / FILE)
    known = {artifact.uri for artifact in metadata.artifacts()}
    on_disk = {path for path in (tmp_path / "killed").glob("[!.]*/*/*") if path.is_dir()}
    assert on_disk == known
    assert not metadata.executions(State.RUNNING)


def contents(root):
    """Returns what each live artifact of the last run holds, by step and output."""
    metadata = Metadata(root / FILE)
    run = metadata.runs()[-1]
    found = {}
    for execution, _ in metadata.executions_of(run.id):
        for name, artifact in metadata.outputs(execution.id).items():
            files = {path.name: path.read_bytes() for path in artifact.uri.iterdir()}
            found[execution.node, name] = files
    return found


def test_the_metadata_stay_small(diamond, run):
    run(diamond())
    for _ in range(30):
        assert {result.outcome for result in run(diamond()).values()} == {Outcome.CACHED}
    assert sum(path.stat().st_size for path in run.root.glob(f"{FILE}*")) < 300_000

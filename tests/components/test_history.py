"""What became of runs and steps."""

import pytest

from components.history import read_runs
from components.metadata import FILE, Metadata
from components.runner import Runner, is_locked, locked


@pytest.fixture
def run(tmp_path):
    def go(pipeline):
        return Runner(tmp_path / "root", say=lambda line: None).run(pipeline)

    go.root = tmp_path / "root"
    return go


def read(root, last=10, at_work=False):
    return read_runs(Metadata(root / FILE), last, at_work)


def test_each_run_with_its_steps(diamond, run):
    results = run(diamond())
    run(diamond(first="raise"))
    run(diamond(first="!"))
    first, second, third = read(run.root)
    assert (first.pipeline, first.outcome, first.counts) == ("diamond", "done", {"done": 4})
    assert [step.node for step in first.steps][::3] == ["Read", "Join"]
    assert first.seconds >= max(step.seconds for step in first.steps)
    join = first.steps[-1]
    assert set(join.outputs) == {"model", "sizes"}
    assert join.outputs["model"].bytes == len("a+a&a-a")
    assert join.outputs["model"].uri == results["Join"].outputs["model"].uri
    # What was found in the cache stands where it belongs, not where it was first done.
    assert (second.outcome, second.counts) == ("failed", {"cached": 2, "failed": 1})
    failed = next(step for step in second.steps if step.outcome == "failed")
    assert (failed.node, failed.error) == ("Plus", "the parameter `by` says so")
    assert not failed.outputs
    assert [step.node for step in third.steps][::3] == ["Read", "Join"]
    assert third.counts == {"cached": 2, "done": 2}
    assert [one.id for one in read(run.root, 2)] == [second.id, third.id]


def test_what_does_not_end_runs_or_was_interrupted(diamond, run):
    run(diamond())
    metadata = Metadata(run.root / FILE)
    number = metadata.begin_run("diamond", {"span": 4})
    metadata.begin_execution(number, "Read", "Read", "key", "{}", "", "", {})
    (step,) = read(run.root, 1, at_work=True)[0].steps
    assert (step.outcome, step.seconds) == ("running", None)
    assert read(run.root, 1, at_work=True)[0].seconds is None
    (last,) = read(run.root, 1)
    assert (last.outcome, last.properties) == ("interrupted", {"span": 4})
    metadata.cancel_running()
    assert read(run.root, 1, at_work=True)[0].outcome == "interrupted"


def test_outputs_that_were_removed_have_no_size(diamond, run):
    results = run(diamond())
    metadata = Metadata(run.root / FILE)
    metadata.delete_outputs(results["Join"].execution)
    for artifact in results["Join"].outputs.values():
        for file in artifact.uri.iterdir():
            file.unlink()
        artifact.uri.rmdir()
    (only,) = read(run.root)
    assert {of.bytes for of in only.steps[-1].outputs.values()} == {None}


def test_whether_a_runner_works_is_seen_from_outside(tmp_path):
    assert not is_locked(tmp_path)
    with locked(tmp_path):
        assert is_locked(tmp_path)
    assert not is_locked(tmp_path)

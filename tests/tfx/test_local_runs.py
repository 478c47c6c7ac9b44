"""Pipelines of small components, run by TFX's LocalDagRunner with ML Metadata."""

from __future__ import annotations

import pytest
from tfx.dsl.components.base import base_executor
from tfx.types import standard_artifacts

from components.tfx.executor import StepExecutor
from components.worker import StepFailed


def properties(artifact):
    found = {}
    for own in (artifact.properties, artifact.custom_properties):
        for name, value in own.items():
            found[name] = getattr(value, value.WhichOneof("value"))
    return found


@pytest.fixture
def once(toys):
    """Returns the small components after a first run."""
    toys.run(toys.pipeline(accuracy=0.75, layers=("a", "b")))
    return toys


def test_steps_work_in_their_order(once):
    assert once.logged() == ["Read", "Train . False", "Place"]
    assert once.placed.read_text() == "lamps['a', 'b']"


def test_artifacts_are_described_as_tfx_describes_its_own(once):
    found = once.artifacts()
    assert set(found) == {"Examples", "Model", "ModelBlessing", "ModelRun", "PushedModel"}
    (examples,), (model,) = found["Examples"], found["Model"]
    told = properties(examples)
    assert (told["span"], told["split_names"], told["rows"]) == (3, '["train"]', '{"train": 2}')
    assert properties(model)["accuracy"] == 0.75
    assert properties(model)["run"] == "r1"


def test_a_blessing_names_the_model(once):
    found = once.artifacts()
    (model,) = found["Model"]
    (blessing,) = found["ModelBlessing"]
    told = properties(blessing)
    assert told["current_model_id"] == model.id
    assert told["current_model"] == model.uri
    assert told["blessed"] == 1
    assert told["reasons"] == '["good"]'


def test_nothing_is_done_twice(once):
    assert once.run(once.pipeline(accuracy=0.75, layers=("a", "b"))) == []
    states = once.states()
    assert [state for _, state in states] == ["COMPLETE"] * 4 + ["CACHED"] * 4


def test_a_file_beside_the_inputs_is_looked_at(once):
    once.table.write_text("watches")
    again = once.run(once.pipeline(accuracy=0.75, layers=("a", "b")))
    assert again == ["Read", "Train . False", "Place"]
    assert once.placed.read_text() == "watches['a', 'b']"


def test_changed_code_is_run(once):
    executor = once.packages / "tfx_place" / "executor.py"
    executor.write_text(executor.read_text() + "\n# changed\n")
    assert once.run(once.pipeline(accuracy=0.75, layers=("a", "b"))) == ["Place"]


def test_a_changed_parameter_reruns_the_step(once):
    again = once.run(once.pipeline(accuracy=0.75, layers=("c",)))
    assert again == ["Train . False", "Place"]
    assert once.placed.read_text() == "lamps['c']"


def test_what_was_lost_outside_is_made_again_once(once):
    nodes = {"accuracy": 0.75, "layers": ("a", "b")}
    once.placed.unlink()
    assert once.run(once.pipeline(**nodes)) == ["Place"]
    assert once.placed.is_file()
    assert once.run(once.pipeline(**nodes)) == []


def test_a_step_that_failed_goes_on(toys):
    with pytest.raises(StepFailed, match="the parameter `fail` says so"):
        toys.run(toys.pipeline(fail=True))
    assert toys.states() == [("Read", "COMPLETE"), ("Train", "FAILED")]
    assert toys.run(toys.pipeline(fail=True)) == ["Train .. False", "Place"]
    # What it went on from is gone: another such step begins anew.
    assert list(toys.root.glob("Train/.system/stateful_working_dir/taxofuse-*")) == []


def test_a_step_goes_on_in_whatever_order_its_properties_come(toys, tmp_path):
    # A later run is another process, where protobuf's maps have another order.
    _, train, _, _ = toys.pipeline(fail=True)
    artifacts = {
        "examples": standard_artifacts.Examples,
        "output_model": standard_artifacts.Model,
        "model_run": standard_artifacts.ModelRun,
    }
    made = {}
    for name, of in artifacts.items():
        made[name] = of()
        made[name].uri = str(tmp_path / "artifacts" / name)
    text = tmp_path / "artifacts" / "examples" / "Split-train" / "text"
    text.parent.mkdir(parents=True)
    text.write_text("lamps")

    def do(folder, properties):
        context = base_executor.BaseExecutor.Context(stateful_working_dir=str(folder))
        outputs = {name: [made[name]] for name in ("output_model", "model_run")}
        StepExecutor(context).Do({"examples": [made["examples"]]}, outputs, properties)

    properties = train.exec_properties
    with pytest.raises(StepFailed):
        do(tmp_path / "working" / "first", properties)
    do(tmp_path / "working" / "second", dict(reversed(properties.items())))
    assert toys.logged() == ["Train . False", "Train .. False"]


def test_an_optional_input_is_read_where_it_is_given(toys):
    first, train, judge, _ = toys.pipeline()
    second = toys.Train(
        examples=first.outputs["examples"],
        model=train.outputs["output_model"],
        log=str(toys.log),
    ).with_id("Second")
    logged = toys.run([first, train, judge, second])
    assert logged == ["Read", "Train . False", "Train . True"]

"""Small components, and pipelines of them that TFX runs in this process.

Run by `make test-tfx` where TFX is, which has none of the packages that steps need: they run
in the Python that `TAXOFUSE_PYTHON` names.
"""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
HAS_TFX = all(importlib.util.find_spec(name) for name in ("tfx", "ml_metadata"))
collect_ignore_glob = [] if HAS_TFX else ["test_*.py"]
if HAS_TFX:
    from ml_metadata.proto import metadata_store_pb2
    from tfx.orchestration import metadata, pipeline
    from tfx.orchestration.local.local_dag_runner import LocalDagRunner

    from components.tfx.adapter import tfx_component

READ = (
    """
from dataclasses import dataclass
from pathlib import Path
from components.component import Component

@dataclass(frozen=True)
class Parameters:
    file: str
    log: str
    rows: tuple[int, ...] = (2,)

COMPONENT = Component(
    name="Read", package=__package__, inputs={}, outputs={"examples": "Examples"},
    parameters=Parameters, reads=lambda parameters: [Path(parameters.file)],
)
""",
    """
from pathlib import Path

def execute(inputs, outputs, parameters, scratch):
    with open(parameters.log, "a") as log:
        print("Read", file=log)
    split = outputs["examples"] / "Split-train"
    split.mkdir()
    (split / "text").write_text(Path(parameters.file).read_text())
    return {"examples": {"span": 3, "rows": {"train": parameters.rows[0]}}}
""",
)
TRAIN = (
    """
from dataclasses import dataclass
from components.component import Component, Input

@dataclass(frozen=True)
class Parameters:
    log: str
    fail: bool = False
    accuracy: float = 0.5
    layers: tuple[str, ...] = ()

COMPONENT = Component(
    name="Train", package=__package__,
    inputs={
        "examples": Input("Examples"),
        "model": Input("Model", optional=True),
        "transform_graph": Input("TransformGraph", optional=True),
    },
    outputs={"model": "Model", "model_run": "ModelRun"},
    parameters=Parameters,
)
""",
    """
def execute(inputs, outputs, parameters, scratch):
    tries = scratch / "tries"
    tries.write_text(tries.read_text() + "." if tries.exists() else ".")
    with open(parameters.log, "a") as log:
        print("Train", tries.read_text(), inputs["model"] is not None, file=log)
    if parameters.fail and len(tries.read_text()) == 1:
        raise ValueError("the parameter `fail` says so")
    text = (inputs["examples"] / "Split-train" / "text").read_text()
    export = outputs["model"] / "export" / "1"
    export.mkdir(parents=True)
    (export / "saved_model.pb").write_text(text + repr(list(parameters.layers)))
    return {"model": {"accuracy": parameters.accuracy, "run": "r1"}}
""",
)
JUDGE = (
    """
from components.component import Component, Input

COMPONENT = Component(
    name="Judge", package=__package__, inputs={"model": Input("Model")},
    outputs={"blessing": "ModelBlessing"},
)
""",
    """
def execute(inputs, outputs, parameters, scratch):
    (outputs["blessing"] / "BLESSED").touch()
    return {"blessing": {"blessed": True, "reasons": ["good"]}}
""",
)
PLACE = (
    """
from dataclasses import dataclass
from pathlib import Path
from components.component import Component, Input

@dataclass(frozen=True)
class Parameters:
    to: str
    log: str

COMPONENT = Component(
    name="Place", package=__package__,
    inputs={"model": Input("Model"), "model_blessing": Input("ModelBlessing", optional=True)},
    outputs={"pushed_model": "PushedModel"}, parameters=Parameters,
    holds=lambda parameters, outputs: Path(parameters.to).is_file(),
)
""",
    """
import shutil

def execute(inputs, outputs, parameters, scratch):
    with open(parameters.log, "a") as log:
        print("Place", file=log)
    shutil.copy(inputs["model"] / "Format-Serving" / "saved_model.pb", parameters.to)
""",
)
PACKAGES = {"tfx_read": READ, "tfx_train": TRAIN, "tfx_judge": JUDGE, "tfx_place": PLACE}


class Toys:
    """Small components of TFX, and the folder in which they work.

    Args:
        folder: Gets packages, artifacts and metadata.
        components: Declared, by package.
    """

    def __init__(self, folder, components):
        self.folder = folder
        self.packages = folder / "packages"
        self.table, self.log, self.placed = (folder / name for name in ("table", "log", "placed"))
        self.table.write_text("lamps")
        self.root = folder / "root"
        self.Read, self.Train, self.Judge, self.Place = (
            tfx_component(components[name]) for name in PACKAGES
        )

    def pipeline(self, **train):
        """Returns the nodes: a file, read, a model of it, judged, placed beside the artifacts."""
        read = self.Read(file=str(self.table), log=str(self.log))
        train = self.Train(examples=read.outputs["examples"], log=str(self.log), **train)
        judge = self.Judge(model=train.outputs["output_model"])
        place = self.Place(
            model=train.outputs["output_model"],
            model_blessing=judge.outputs["blessing"],
            to=str(self.placed),
            log=str(self.log),
        )
        return [read, train, judge, place]

    def run(self, nodes):
        """Runs nodes; returns the lines that their executors logged."""
        before = self.logged()
        made = pipeline.Pipeline(
            pipeline_name="toys",
            pipeline_root=str(self.root),
            metadata_connection_config=self._connection(),
            components=nodes,
            enable_cache=True,
        )
        LocalDagRunner().run(made)
        return self.logged()[len(before) :]

    def logged(self):
        """Returns all lines that executors logged."""
        return self.log.read_text().splitlines() if self.log.exists() else []

    def artifacts(self):
        """Returns artifacts by the name of their type, newest last, as ML Metadata has them."""
        with metadata.Metadata(self._connection()) as handle:
            types = {one.id: one.name for one in handle.store.get_artifact_types()}
            found = {}
            for one in sorted(handle.store.get_artifacts(), key=lambda one: one.id):
                found.setdefault(types[one.type_id], []).append(one)
            return found

    def states(self):
        """Returns component and state of all executions, oldest first."""
        with metadata.Metadata(self._connection()) as handle:
            types = {one.id: one.name for one in handle.store.get_execution_types()}
            return [
                (
                    types[one.type_id].split(".")[-1],
                    metadata_store_pb2.Execution.State.Name(one.last_known_state),
                )
                for one in sorted(handle.store.get_executions(), key=lambda one: one.id)
            ]

    def _connection(self):
        return metadata.sqlite_metadata_connection_config(str(self.folder / "metadata.sqlite"))


@pytest.fixture
def toys(tmp_path, monkeypatch, import_components):
    """Returns the small components of TFX."""
    # Steps run in a Python that does not have this folder.
    monkeypatch.setenv("PYTHONPATH", str(ROOT), prepend=":")
    return Toys(tmp_path, import_components(PACKAGES))

"""Does a step for TFX, in a process of the Python that has taxofuse."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

from tfx.dsl.components.base import base_executor
from tfx.types import artifact

from components.component import Component
from components.content import combine
from components.tfx.artifacts import complete
from components.tfx.names import PACKAGE, output_keys
from components.tfx.process import execute
from components.tfx.properties import from_properties


class StepExecutor(base_executor.BaseExecutor):
    """Executor of all components; the property `taxofuse_package` says of which."""

    def Do(
        self,
        input_dict: dict[str, list[artifact.Artifact]],
        output_dict: dict[str, list[artifact.Artifact]],
        exec_properties: dict[str, Any],
    ) -> None:
        """Does the step, and notes its properties with the artifacts.

        Raises:
            StepFailed: with what went wrong.
        """
        package = exec_properties[PACKAGE]
        component: Component = import_module(f"{package}.component").COMPONENT
        made = {name: output_dict[key][0] for name, key in output_keys(component).items()}
        inputs = {
            name: _folder(_only(name, found)) if (found := input_dict.get(name)) else None
            for name in component.inputs
        }
        outputs = {name: _folder(one) for name, one in made.items()}
        for folder in outputs.values():
            folder.mkdir(parents=True, exist_ok=True)
        scratch = self._scratch(input_dict, exec_properties)
        properties = execute(
            package, inputs, outputs, from_properties(component, exec_properties), scratch
        )
        for name, one in made.items():
            complete(one, properties.get(name, {}), input_dict)
        shutil.rmtree(scratch)

    def _scratch(
        self,
        inputs: Mapping[str, list[artifact.Artifact]],
        properties: Mapping[str, Any],
    ) -> Path:
        """Returns the folder from which the same step goes on in a later run.

        TFX's own working folder is another in each run.
        """
        uris = {f"input {name}": str([one.uri for one in of]) for name, of in inputs.items()}
        told = {f"property {name}": str(value) for name, value in properties.items()}
        # `combine` sorts: TFX hands both on in any order.
        key = combine({**uris, **told})
        folder = Path(self._context.stateful_working_dir).parent / f"taxofuse-{key}"
        folder.mkdir(parents=True, exist_ok=True)
        return folder


def _only(name: str, artifacts: list[artifact.Artifact]) -> artifact.Artifact:
    if len(artifacts) > 1:
        uris = [one.uri for one in artifacts]
        raise ValueError(f"One artifact of {name!r} is read at a time. Received: {uris}.")
    return artifacts[0]


def _folder(one: artifact.Artifact) -> Path:
    if "://" in one.uri:
        raise ValueError(
            "Steps read and write folders: give the pipeline a pipeline_root that all machines "
            f"mount. Received: {one.uri!r}."
        )
    return Path(one.uri).absolute()

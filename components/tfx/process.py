"""The Python that does steps: TFX's own may have another TensorFlow and Keras, or none."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from components.worker import Step, StepFailed, Worker

PYTHON = "TAXOFUSE_PYTHON"
"""Variable with the path of a Python that has taxofuse; by default TFX's own is taken."""
_LEGACY_KERAS = "TF_USE_LEGACY_KERAS"
"""Set by an import of TensorFlow Transform, for child processes too. Keras 3 is needed."""


def find_python() -> str:
    """Returns the Python that does steps.

    Raises:
        ValueError: if there is none at the path that is named.
    """
    named = os.environ.get(PYTHON) or sys.executable
    found = shutil.which(named)
    if found is None:
        raise ValueError(
            f"{PYTHON} must be the path of a Python that has taxofuse, such as "
            f"/srv/taxofuse/.venv/bin/python. Received: {named!r}."
        )
    return found


def find_unseen(
    package: str, parameters: Mapping[str, Any], made: Mapping[int, Mapping[str, str]]
) -> dict[str, Any]:
    """Asks for what a step depends on and TFX does not see; see `components.tfx.unseen`.

    Args:
        package: Of the component.
        parameters: By name.
        made: Folders by output of earlier executions of the step, by execution.

    Raises:
        StepFailed: if it cannot be said.
    """
    request = {"package": package, "parameters": dict(parameters), "made": dict(made)}
    python = find_python()
    done = subprocess.run(
        [python, "-m", "components.tfx.unseen"],
        input=json.dumps(request),
        capture_output=True,
        text=True,
        env=_environment(),
        check=False,
    )
    if done.returncode:
        raise StepFailed(
            f"{python} cannot say what {package} depends on. It must have taxofuse; the variable "
            f"{PYTHON} names another. It said: {done.stderr.strip()[-2000:]}"
        )
    return json.loads(done.stdout)


def execute(
    package: str,
    inputs: Mapping[str, Path | None],
    outputs: Mapping[str, Path],
    parameters: Mapping[str, Any],
    scratch: Path,
) -> dict[str, dict[str, Any]]:
    """Does a step in a process of its own; arguments as of `components.worker.Step`."""
    worker = Worker(find_python(), _environment())
    try:
        return worker.execute(Step(package, inputs, outputs, json.dumps(parameters), scratch))
    finally:
        worker.stop()


def _environment() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if name != _LEGACY_KERAS}

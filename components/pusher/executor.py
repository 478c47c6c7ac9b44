"""Pushes a model, or says why not."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from components.blessing import is_blessed
from components.content import fingerprint
from components.pusher.component import Parameters
from components.pusher.pushed import NOT_PUSHED, Pushed, read_run
from components.pusher.versions import Versions, find_sizes
from trainer.artefact import find_export
from trainer.files import write_json


def execute(
    inputs: Mapping[str, Path | None],
    outputs: Mapping[str, Path],
    parameters: Parameters,
    scratch: Path,
) -> dict[str, Any]:
    """Pushes the model if every blessing that is given says `BLESSED`.

    Returns:
        The version's number and the model's fingerprint; or `empty` and the reason.
    """
    del scratch
    folder = outputs["pushed_model"]
    assert inputs["model"] is not None
    model = find_export(inputs["model"])
    versions = Versions(Path(parameters.destination))
    content = fingerprint([model])
    reasons = [
        f"{name} is not BLESSED: see the artifact of the step that gave it"
        for name in ("model_blessing", "infra_blessing")
        if (blessing := inputs[name]) is not None and not is_blessed(blessing)
    ]
    if content in versions.withdrawn():
        reasons.append(
            f"this model was rolled back from {parameters.destination}; "
            "`taxofuse pipeline rollback --to VERSION` makes it live again"
        )
    if reasons:
        print(f"Not pushed: {'; '.join(reasons)}", file=sys.stderr)
        write_json(folder / NOT_PUSHED, {"reasons": reasons})
        return {"pushed_model": {"empty": True, "reason": "; ".join(reasons)}}
    with versions.locked():
        number = versions.push(model)
        old = versions.retire(parameters.keep, parameters.pinned)
    told = f", without {', '.join(map(str, old))}" if old else ""
    print(f"Version {number} is live in {versions.folder}{told}", file=sys.stderr)
    pushed = Pushed(number, content, find_sizes(model), read_run(model))
    pushed.write(folder)
    return {"pushed_model": pushed.properties}

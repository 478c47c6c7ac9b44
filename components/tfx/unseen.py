"""What a step depends on and TFX does not see: code, files beside the inputs, lost outputs.

    python -m components.tfx.unseen < request.json

It is asked of the Python that does the step: the code is there, and what reads tables.
"""

from __future__ import annotations

import importlib
import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from components.component import Component
from components.content import fingerprint, fingerprint_code


def find_unseen(
    component: Component, values: Mapping[str, Any], made: Mapping[str, Mapping[str, str]]
) -> dict[str, Any]:
    """Returns fingerprints of `code` and `files`, and the last execution that was `lost`.

    Args:
        component: Of the step.
        values: Its parameters by name.
        made: Folders by output of earlier executions of the step, by execution. One is lost
            where what it made outside of them does not hold any more; 0 says that none is.
    """
    parameters = component.make_parameters(values)
    lost = [
        int(execution)
        for execution, outputs in made.items()
        if not component.holds(parameters, {name: Path(uri) for name, uri in outputs.items()})
    ]
    return {
        "code": fingerprint_code(component.executor),
        "files": fingerprint(component.reads(parameters)),
        "lost": max(lost, default=0),
    }


def main() -> int:
    """Answers the request of the standard input."""
    request = json.load(sys.stdin)
    component = importlib.import_module(f"{request['package']}.component").COMPONENT
    try:
        told = find_unseen(component, request["parameters"], request["made"])
    except ValueError as error:
        print(error, file=sys.stderr)
        return 1
    print(json.dumps(told))
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""What TFX calls things of a component."""

from __future__ import annotations

from components.component import Component

# Execution properties beside the parameters.
PACKAGE = "taxofuse_package"
"""Of the component."""
CODE, FILES, LOST = "taxofuse_code", "taxofuse_files", "taxofuse_lost"
"""See `components.tfx.unseen`: part of the key of TFX's cache."""


def output_keys(component: Component) -> dict[str, str]:
    """Returns the keys of the outputs by their names.

    In TFX no output has the name of an input: the `model` that is made of a `model` is
    `output_model` there.
    """
    return {
        name: f"output_{name}" if name in component.inputs else name for name in component.outputs
    }

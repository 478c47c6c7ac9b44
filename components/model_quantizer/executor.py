"""Exports a model for devices."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from components.examples import read_table
from components.links import link_tree
from components.model_quantizer.component import Parameters
from trainer.edge_export import export_for_devices


def execute(
    inputs: Mapping[str, Path],
    outputs: Mapping[str, Path],
    parameters: Parameters,
    scratch: Path,
) -> dict[str, dict[str, Any]]:
    """Writes the folder of `taxofuse export --format tflite`.

    A training of quantized weights keeps its checkpoints in a copy of the model's folder.
    """
    workdir, written = scratch / "workdir", scratch / "written"
    link_tree(inputs["model"], workdir)
    certificate = export_for_devices(
        workdir,
        read_table(inputs["examples"], [parameters.split]),
        written,
        parameters.quantizers,
        num_rows=parameters.products,
        keep_float=parameters.keep_float,
        accept=parameters.accept,
        seed=parameters.seed,
    )
    link_tree(written, outputs["model"])
    used = certificate["variants"][next(iter(parameters.quantizers))]
    return {"model": {"bytes": used["bytes"], "agreement": used["agreement"]}}

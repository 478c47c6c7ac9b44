"""TFX's types of artifacts for ours, and what TFX wants to know of one.

A type is TFX's own where its components can read what we write: examples, statistics,
schema, anomalies, models, blessings. Where a name means other files there (TensorFlow
Transform's graph, KerasTuner's settings, TensorFlow Model Analysis' figures,
PredictionLogs), the type is ours, so that TFX refuses to connect the two.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tfx.types import artifact, artifact_utils, standard_artifacts

from components import artifact as own
from components.links import link_tree
from trainer.artefact import find_export

SERVING = "Format-Serving"
"""In a model: where TFX looks for the SavedModel."""


class TaxofuseTransformedExamples(artifact.Artifact):
    """What frozen encoders make of examples, as arrays."""

    TYPE_NAME = "TaxofuseTransformedExamples"


class TaxofuseTransformGraph(artifact.Artifact):
    """A SavedModel with the signature `transform`."""

    TYPE_NAME = "TaxofuseTransformGraph"


class TaxofuseHyperParameters(artifact.Artifact):
    """Settings of a training as JSON."""

    TYPE_NAME = "TaxofuseHyperParameters"


class TaxofuseModelEvaluation(artifact.Artifact):
    """Figures as JSON, and a report."""

    TYPE_NAME = "TaxofuseModelEvaluation"


class TaxofuseInferenceResult(artifact.Artifact):
    """Answers as Parquet."""

    TYPE_NAME = "TaxofuseInferenceResult"


TYPES = {
    own.EXAMPLES: standard_artifacts.Examples,
    own.TRANSFORMED_EXAMPLES: TaxofuseTransformedExamples,
    own.STATISTICS: standard_artifacts.ExampleStatistics,
    own.SCHEMA: standard_artifacts.Schema,
    own.ANOMALIES: standard_artifacts.ExampleAnomalies,
    own.TRANSFORM_GRAPH: TaxofuseTransformGraph,
    own.HYPER_PARAMETERS: TaxofuseHyperParameters,
    own.MODEL: standard_artifacts.Model,
    own.MODEL_RUN: standard_artifacts.ModelRun,
    own.MODEL_EVALUATION: TaxofuseModelEvaluation,
    own.MODEL_BLESSING: standard_artifacts.ModelBlessing,
    own.INFRA_BLESSING: standard_artifacts.InfraBlessing,
    own.PUSHED_MODEL: standard_artifacts.PushedModel,
    own.INFERENCE_RESULT: TaxofuseInferenceResult,
}
"""By our names of them."""


def complete(
    made: artifact.Artifact,
    values: Mapping[str, Any],
    inputs: Mapping[str, list[artifact.Artifact]],
) -> None:
    """Adds to an artifact what TFX's components look for in one of its type.

    Args:
        made: Whose folder is filled.
        values: Its properties. A yes or no becomes 1 or 0, as in TFX's own; what is neither
            number nor text becomes JSON.
        inputs: What the step has read.
    """
    for name, value in values.items():
        _note(made, name, value)
    folder = Path(made.uri)
    if "split_names" in (made.PROPERTIES or {}):
        splits = sorted(path.name.removeprefix("Split-") for path in folder.glob("Split-*"))
        made.split_names = artifact_utils.encode_split_names(splits)
    if isinstance(made, standard_artifacts.ModelBlessing) and inputs.get("model"):
        # By this TFX's resolvers find the model that was blessed last.
        (model,) = inputs["model"]
        made.set_string_custom_property("current_model", model.uri)
        made.set_int_custom_property("current_model_id", model.id)
    if isinstance(made, standard_artifacts.Model) and (folder / "export").is_dir():
        link_tree(find_export(folder), folder / SERVING)


def _note(made: artifact.Artifact, name: str, value: Any) -> None:
    if name in (made.PROPERTIES or {}):
        setattr(made, name, value)
    elif isinstance(value, int):
        made.set_int_custom_property(name, int(value))
    elif isinstance(value, float):
        made.set_float_custom_property(name, value)
    elif isinstance(value, str):
        made.set_string_custom_property(name, value)
    else:
        made.set_string_custom_property(name, json.dumps(value, ensure_ascii=False))

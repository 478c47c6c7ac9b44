"""What steps of a pipeline hand to each other: typed folders."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

# The names are TFX's, but for transformed examples, which there are Examples.
EXAMPLES = "Examples"
TRANSFORMED_EXAMPLES = "TransformedExamples"
"""What frozen encoders make of the rows, which are no `tf.Example`."""
STATISTICS = "ExampleStatistics"
SCHEMA = "Schema"
ANOMALIES = "ExampleAnomalies"
TRANSFORM_GRAPH = "TransformGraph"
HYPER_PARAMETERS = "HyperParameters"
MODEL = "Model"
MODEL_RUN = "ModelRun"
MODEL_EVALUATION = "ModelEvaluation"
MODEL_BLESSING = "ModelBlessing"
INFRA_BLESSING = "InfraBlessing"
PUSHED_MODEL = "PushedModel"
INFERENCE_RESULT = "InferenceResult"
TYPES = frozenset(
    {
        EXAMPLES,
        TRANSFORMED_EXAMPLES,
        STATISTICS,
        SCHEMA,
        ANOMALIES,
        TRANSFORM_GRAPH,
        HYPER_PARAMETERS,
        MODEL,
        MODEL_RUN,
        MODEL_EVALUATION,
        MODEL_BLESSING,
        INFRA_BLESSING,
        PUSHED_MODEL,
        INFERENCE_RESULT,
    }
)


@dataclass(frozen=True)
class Artifact:
    """A folder that a step has made, and that never changes again.

    Args:
        type: One of `TYPES`.
        uri: The folder.
        fingerprint: Hash of its contents; see `components.content`.
        properties: Small facts, such as the span or how many rows there are.
        id: In the metadata; 0 before it is known there.
    """

    type: str
    uri: Path
    fingerprint: str
    properties: Mapping[str, Any] = field(default_factory=dict)
    id: int = 0

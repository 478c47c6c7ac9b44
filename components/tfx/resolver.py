"""Finds the model that a candidate is compared with."""

from __future__ import annotations

import ml_metadata
from tfx.dsl.components.common import resolver
from tfx.types import artifact


class BlessedBefore(resolver.ResolverStrategy):
    """Resolves the model that was blessed last, beside the candidate itself.

    TFX's own strategy takes the candidate too once it is blessed: a pipeline that is
    repeated would compare it with itself, and push it again.

    The resolver reads the channels `model`, `model_blessing` and `candidate`.
    """

    def resolve_artifacts(
        self,
        store: ml_metadata.MetadataStore,
        input_dict: dict[str, list[artifact.Artifact]],
    ) -> dict[str, list[artifact.Artifact]]:
        """Returns one artifact by channel, or none where no other model was blessed."""
        del store
        candidates = {one.id for one in input_dict["candidate"]}
        blessings = {
            one.get_int_custom_property("current_model_id"): one
            for one in sorted(input_dict["model_blessing"], key=lambda one: one.id)
            if one.get_int_custom_property("blessed") == 1
        }
        for model in sorted(input_dict["model"], key=lambda one: one.id, reverse=True):
            if model.id in blessings and model.id not in candidates:
                return {
                    "model": [model],
                    "model_blessing": [blessings[model.id]],
                    "candidate": input_dict["candidate"],
                }
        return {name: [] for name in input_dict}

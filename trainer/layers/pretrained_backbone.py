"""A pretrained network inside a larger model."""

from __future__ import annotations

from typing import Any

import keras


@keras.saving.register_keras_serializable(package="taxofuse")
class PretrainedBackbone(keras.layers.Wrapper):
    """Calls a pretrained network so that frozen means fixed.

    Keras leaves dropout on in a frozen network, and lets an unfrozen batch
    normalisation overwrite its statistics with those of a few small batches.
    Here a frozen network always runs as in inference, whether frozen when it
    was built or later; its outputs can be computed once.

    Args:
        layer: keras.Model. The network.
        fixed_statistics: bool. True runs it as in inference even while it is
            trained: batch normalisation keeps its statistics and learns only
            scale and offset.

    Call arguments:
        inputs: what the network takes.
        training: bool.

    Returns:
        What the network returns.
    """

    def __init__(self, layer: keras.Model, fixed_statistics: bool = False, **kwargs: Any) -> None:
        super().__init__(layer, **kwargs)
        self.fixed_statistics = fixed_statistics

    def call(self, inputs: Any, training: bool | None = None) -> Any:
        learns = bool(training) and self.trainable and not self.fixed_statistics
        return self.layer(inputs, training=learns)

    def compute_output_spec(self, inputs: Any, training: bool | None = None) -> Any:
        return self.layer.compute_output_spec(inputs, training=False)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "fixed_statistics": self.fixed_statistics}

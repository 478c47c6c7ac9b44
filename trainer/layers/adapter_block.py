"""A transformer block with bottlenecks."""

from __future__ import annotations

from typing import Any

import keras
import keras_hub


@keras.saving.register_keras_serializable(package="taxofuse")
class AdapterBlock(keras_hub.layers.TransformerEncoder):
    """A `TransformerEncoder` with a bottleneck after feed-forward, and one after attention.

    Args:
        bottleneck_dim: int. Width of the bottlenecks.
        after_attention: bool. False leaves out that after attention.
        kwargs: As for `TransformerEncoder`.

    Call arguments, Returns: as for `TransformerEncoder`.
    """

    def __init__(
        self, *, bottleneck_dim: int = 16, after_attention: bool = True, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.bottleneck_dim = bottleneck_dim
        self.after_attention = after_attention

    @classmethod
    def convert(
        cls, block: keras_hub.layers.TransformerEncoder, bottleneck_dim: int, after_attention: bool
    ) -> None:
        """Makes a built `TransformerEncoder` one of these, in place; its outputs stay the same."""
        block.__class__ = cls
        block.bottleneck_dim = bottleneck_dim
        block.after_attention = after_attention
        block._tracker.unlock()
        block._add_bottlenecks(block._feedforward_output_dense.units)
        block._tracker.lock()

    @property
    def bottlenecks(self) -> list[keras.Layer]:
        """The layers that were added."""
        places = [self._feedforward_dropout]
        return [*places, self._self_attention_dropout] if self.after_attention else places

    def build(self, inputs_shape: Any) -> None:
        super().build(inputs_shape)
        self._add_bottlenecks(inputs_shape[-1])

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "bottleneck_dim": self.bottleneck_dim,
            "after_attention": self.after_attention,
        }

    def _add_bottlenecks(self, hidden_dim: int) -> None:
        # In the place of the dropouts, which come between each part and its residual.
        places = ["_feedforward_dropout"]
        if self.after_attention:
            places.append("_self_attention_dropout")
        for place in places:
            layer = Bottleneck(
                self.bottleneck_dim,
                getattr(self, place),
                dtype=self.dtype_policy,
                name="bottleneck",
            )
            layer.build((None, None, hidden_dim))
            setattr(self, place, layer)


class Bottleneck(keras.layers.Layer):
    """Dropout, then `x + up(gelu(down(x)))`, which starts as `x`.

    Args:
        bottleneck_dim: int. Width between the two layers.
        dropout: The layer whose place it takes.

    Call arguments:
        inputs: float tensor `(..., hidden_dim)`.
        training: bool.

    Returns:
        Float tensor of the same shape.
    """

    def __init__(self, bottleneck_dim: int, dropout: keras.layers.Dropout, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.dropout = dropout
        self.down = keras.layers.Dense(
            bottleneck_dim, activation="gelu", dtype=self.dtype_policy, name="down"
        )
        self.bottleneck_dim = bottleneck_dim

    def build(self, input_shape: Any) -> None:
        self.down.build(input_shape)
        self.up = keras.layers.Dense(
            input_shape[-1], kernel_initializer="zeros", dtype=self.dtype_policy, name="up"
        )
        self.up.build((*input_shape[:-1], self.bottleneck_dim))

    def call(self, inputs: Any, training: bool | None = None) -> Any:
        x = self.dropout(inputs, training=training)
        return x + self.up(self.down(x))

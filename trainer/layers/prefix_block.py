"""A transformer block whose attention also looks at learned keys."""

from __future__ import annotations

from typing import Any

import keras
import keras_hub
from keras import ops


@keras.saving.register_keras_serializable(package="taxofuse")
class PrefixBlock(keras_hub.layers.TransformerEncoder):
    """A `TransformerEncoder` with learned keys and values before those of the tokens.

    Args:
        prefix_length: int. How many.
        kwargs: As for `TransformerEncoder`.

    Call arguments, Returns: as for `TransformerEncoder`.
    """

    def __init__(self, *, prefix_length: int = 8, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.prefix_length = prefix_length

    @classmethod
    def convert(cls, block: keras_hub.layers.TransformerEncoder, prefix_length: int) -> None:
        """Makes a built `TransformerEncoder` one of these, in place."""
        block.__class__ = cls
        block.prefix_length = prefix_length
        PrefixAttention.convert(block._self_attention_layer, prefix_length)

    @property
    def prefix(self) -> list[keras.Variable]:
        """The weights that were added."""
        return [self._self_attention_layer.prefix_keys, self._self_attention_layer.prefix_values]

    def build(self, inputs_shape: Any) -> None:
        super().build(inputs_shape)
        PrefixAttention.convert(self._self_attention_layer, self.prefix_length)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "prefix_length": self.prefix_length}


class PrefixAttention(keras.layers.MultiHeadAttention):
    """Attention with learned keys and values, `(prefix_length, heads, head_dim)` each."""

    @classmethod
    def convert(cls, attention: keras.layers.MultiHeadAttention, prefix_length: int) -> None:
        """Makes a built attention one of these, in place."""
        attention.__class__ = cls
        attention._tracker.unlock()
        for name in ("prefix_keys", "prefix_values"):
            shape = (prefix_length, attention.num_heads, attention.key_dim)
            weight = attention.add_weight(name=name, shape=shape, initializer=_small())
            setattr(attention, name, weight)
        attention._tracker.lock()

    def _compute_attention(
        self, query: Any, key: Any, value: Any, attention_mask: Any = None, *args: Any, **kw: Any
    ) -> Any:
        key, value, attention_mask = self.prepend(key, value, attention_mask)
        return super()._compute_attention(query, key, value, attention_mask, *args, **kw)

    def prepend(self, key: Any, value: Any, attention_mask: Any) -> tuple[Any, Any, Any]:
        """Puts what was learned before the keys and values of the tokens, and shows it to all."""
        key, value = _prepend(self.prefix_keys, key), _prepend(self.prefix_values, value)
        if attention_mask is not None:
            shape = (*ops.shape(attention_mask)[:-1], self.prefix_keys.shape[0])
            seen = ops.ones(shape, attention_mask.dtype)
            attention_mask = ops.concatenate([seen, attention_mask], axis=-1)
        return key, value, attention_mask


def _small() -> keras.initializers.Initializer:
    return keras.initializers.RandomNormal(stddev=0.02)


def _prepend(prefix: keras.Variable, tokens: Any) -> Any:
    """Puts `(length, heads, dim)` before `(batch, tokens, heads, dim)`."""
    prefix = ops.cast(ops.convert_to_tensor(prefix), tokens.dtype)
    shape = (ops.shape(tokens)[0], *prefix.shape)
    return ops.concatenate([ops.broadcast_to(prefix, shape), tokens], axis=1)

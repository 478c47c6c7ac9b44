"""A text encoder of a few thousand parameters, for tests."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import keras
import tensorflow as tf
from keras import ops

from trainer.encoders.encoder import Encoder
from trainer.layers.mean_pooling import MeanPooling
from trainer.layers.perturbation import Point, token_point
from trainer.layers.word_ops import Words
from trainer.registry import ENCODERS


@ENCODERS.register("tiny_text")
class TinyTextEncoder(Encoder):
    """Embeds a text as the average of its hashed words, always drawn at random.

    Every Chinese character is a word. It learns no vocabulary: words share a
    vector where their hashes meet.

    Args:
        name: str. Unique in a model.
        tuning, tuning_options: As for every encoder; `"frozen"` keeps what was drawn.
        max_tokens: int. Longer texts are cut.
        num_buckets: int. Number of hash values.
        dim: int. Width of the embedding.
    """

    modality: ClassVar[str] = "text"
    pretrained: ClassVar[bool] = False
    parts: ClassVar[Mapping[str, str]] = {"weights": ".*"}

    def __init__(
        self,
        name: str,
        tuning: str = "full",
        tuning_options: Mapping[str, Any] | None = None,
        max_tokens: int = 32,
        num_buckets: int = 512,
        dim: int = 16,
    ) -> None:
        super().__init__(name, tuning, tuning_options)
        self.max_tokens = max_tokens
        self.num_buckets = num_buckets
        self.dim = dim

    def input_specs(self) -> dict[str, tf.TensorSpec]:
        return {f"{self.name}_token_ids": tf.TensorSpec((self.max_tokens,), tf.int32)}

    def preprocess(self, values: tf.Tensor) -> dict[str, tf.Tensor]:
        words = _split(values)
        # 0 is padding.
        ids = 1 + tf.strings.to_hash_bucket_fast(words[:, : self.max_tokens], self.num_buckets)
        padded = ids.to_tensor(0, shape=(None, self.max_tokens))
        return {f"{self.name}_token_ids": tf.cast(padded, tf.int32)}

    def build(self) -> keras.Model:
        (key, spec), *_ = self.input_specs().items()
        token_ids = keras.Input(spec.shape, dtype="int32", name=key)
        vectors = keras.layers.Embedding(
            self.num_buckets + 1, self.dim, name=f"{self.name}_embedding"
        )(token_ids)
        mask = ops.not_equal(token_ids, 0)
        embedding = MeanPooling(name=f"{self.name}_pooling")(vectors, mask)
        return self._tune(keras.Model({key: token_ids}, embedding, name=self.name))

    def find_points(self, model: keras.Model) -> list[Point]:
        return [token_point(model.get_layer(f"{self.name}_embedding"), padding_id=0)]

    def place_tokens(self, words: Words) -> tf.Tensor:
        lengths = _split(words.texts.values).row_lengths()
        places = tf.repeat(tf.range(tf.size(lengths)), lengths)[: self.max_tokens]
        return tf.pad(places, [[0, self.max_tokens - tf.size(places)]], constant_values=-1)


def _split(texts: tf.Tensor) -> tf.RaggedTensor:
    texts = tf.strings.lower(texts, encoding="utf-8")
    texts = tf.strings.regex_replace(texts, r"(\p{Han})", r" \1 ")
    return tf.strings.split(tf.strings.regex_replace(texts, r"[^\p{L}\p{N}]+", " "))

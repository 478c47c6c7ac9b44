"""Text as hashed words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np

from serving.edge.encoders.encoder import Encoder, Tensors, Values
from serving.edge.registry import register
from serving.edge.texts.fingerprint import fingerprint64
from serving.edge.texts.words import split_plain_words


@register("tiny_text")
class TinyTextEncoder(Encoder):
    """Numbers words by their hash; 0 is padding."""

    kind: ClassVar[str] = "text"
    defaults: ClassVar[Mapping[str, Any]] = {"max_tokens": 32, "num_buckets": 512}

    def preprocess(self, values: Values) -> Tensors:
        max_tokens, num_buckets = self.options["max_tokens"], self.options["num_buckets"]
        token_ids = np.zeros((len(values), max_tokens), np.int32)
        for row, text in enumerate(values):
            for place, word in enumerate(split_plain_words(text)[:max_tokens]):
                token_ids[row, place] = 1 + fingerprint64(word.encode()) % num_buckets
        return {f"{self.name}_token_ids": token_ids}

"""Text as the word pieces of a BERT."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from serving.edge.encoders.encoder import Encoder, Tensors, Values
from serving.edge.registry import register
from serving.edge.texts.look_alikes import fold_look_alikes
from serving.edge.texts.word_pieces import WordPieces

_BYTES_PER_TOKEN = 12
# Lengths are multiples of it: running at another length than before costs a tenth.
_STEP = 8
# All after the first line; in broken UTF-8 as far as a regular expression of TensorFlow reads it.
_FURTHER_LINES = re.compile(
    rb"\n(?:[\x00-\x7f]|[\xc2-\xdf][\x80-\xbf]|[\xe0-\xef][\x80-\xbf]{2}|[\xf0-\xf4][\x80-\xbf]{3})*"
)


@register("bert")
class BertEncoder(Encoder):
    """Cuts text into windows of word pieces, each between [CLS] and [SEP].

    Its state has the word pieces in the order of their ids, `vocabulary`, and
    whether text is lower-cased, `lowercase`.
    """

    kind: ClassVar[str] = "text"
    defaults: ClassVar[Mapping[str, Any]] = {
        "max_tokens": 128,
        "windows": 1,
        "title_tokens": 0,
        "fold_look_alikes": False,
    }

    def __init__(self, name: str, options: Mapping[str, Any], state: Mapping[str, Any]) -> None:
        super().__init__(name, options, state)
        pieces = state["vocabulary"]
        self._word_pieces = WordPieces(pieces, state["lowercase"])
        self._pad, self._start, self._end = map(pieces.index, ("[PAD]", "[CLS]", "[SEP]"))
        self._has_title = bool(self.options["title_tokens"])

    def preprocess(self, values: Values) -> Tensors:
        texts = list(values)
        if self.options["fold_look_alikes"]:
            texts = [fold_look_alikes(text) for text in texts]
        tensors = self._view(self.name, texts, self.options["windows"], self.options["max_tokens"])
        if self._has_title:
            titles = [_FURTHER_LINES.sub(b"", text, count=1) for text in texts]
            tensors |= self._view(f"{self.name}_title", titles, 1, self.options["title_tokens"])
        return tensors

    def shorten(self, tensors: Tensors) -> Tensors:
        views = {"": "max_tokens"} | ({"_title": "title_tokens"} if self._has_title else {})
        found: Tensors = {}
        for view, option in views.items():
            names = [f"{self.name}{view}_{of}" for of in ("padding_mask", "token_ids")]
            length = _find_length(tensors[names[0]], self.options[option])
            found |= {name: tensors[name][:, :length] for name in names}
        return found

    def _view(self, view: str, texts: list[bytes], windows: int, max_tokens: int) -> Tensors:
        shape = (len(texts), windows, max_tokens)
        token_ids = np.full(shape, self._pad, np.int32)
        mask = np.zeros(shape, np.int32)
        room = max_tokens - 2
        for row, text in enumerate(texts):
            cut = text[: _BYTES_PER_TOKEN * windows * max_tokens]
            pieces = self._word_pieces.tokenize(cut, windows * room)
            # The first window is there even if it is empty.
            for window, first in enumerate(range(0, max(1, len(pieces)), room)):
                tokens = [self._start, *pieces[first : first + room], self._end]
                token_ids[row, window, : len(tokens)] = tokens
                mask[row, window, : len(tokens)] = 1
        flat = (len(texts), windows * max_tokens)
        return {
            f"{view}_token_ids": token_ids.reshape(flat),
            f"{view}_padding_mask": mask.reshape(flat),
        }


def _find_length(mask: npt.NDArray[np.int32], max_tokens: int) -> int:
    """Returns how long the longest of some texts is: less than a window, or whole windows."""
    end = 1 + int(np.flatnonzero(mask.any(axis=0)).max(initial=0))
    if end > max_tokens:
        return -(-end // max_tokens) * max_tokens
    return min(-(-end // _STEP) * _STEP, max_tokens)

"""Text through a pretrained BERT."""

from __future__ import annotations

import functools
import logging
from collections.abc import Mapping
from typing import Any, ClassVar

import keras
import numpy as np
import tensorflow as tf
from keras import ops

from trainer.encoders.encoder import Encoder
from trainer.layers.join_windows import JoinWindows
from trainer.layers.mean_pooling import MeanPooling
from trainer.layers.perturbation import Point, token_point
from trainer.layers.pretrained_backbone import PretrainedBackbone
from trainer.layers.split_windows import SplitWindows
from trainer.layers.text_ops import fold_look_alikes
from trainer.layers.word_ops import Words
from trainer.registry import ENCODERS
from trainer.weights.cut_bert import cut_bert
from trainer.weights.presets import load_backbone, load_vocabulary
from trainer.weights.source import WeightsSource, resolve_weights

logger = logging.getLogger(__name__)

POOLINGS = ("mean", "cls")
# What is read of a text, by the option that says how far: how its tensors' names go on.
_VIEWS = {"max_tokens": "", "title_tokens": "_title"}
# A word piece of English is about 5 bytes long with its space, a Chinese one 3. Whatever follows
# 12 bytes a token is cut away before tokenising, which costs time by the byte.
_BYTES_PER_TOKEN = 12
# Shortened texts are multiples of it: running at another length than before costs a device a tenth.
_STEP = 8
_RANDOM_VOCABULARY = "package:all-minilm-l6-v2"
_SPECIAL = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")
_ROWS_AT_ONCE = 256
_BASE = {
    "vocabulary_size": 30522,
    "num_layers": 12,
    "num_heads": 12,
    "hidden_dim": 768,
    "intermediate_dim": 3072,
}


@ENCODERS.register("bert")
class BertEncoder(Encoder):
    """Embeds text with a KerasHub BERT of any preset.

    The word pieces are part of the state, so that a saved encoder tokenises
    on machines that have no weights installed. KerasHub's GELU is the tanh
    approximation; against the exact one, embeddings of MiniLM differ by 3e-4.

    Args:
        name: str. Unique in a model.
        tuning, tuning_options, adapter: As for every encoder.
        weights: str. A preset (see `trainer.weights.source`), or `"random"`
            for a BERT-base (12 layers of 768) drawn at random.
        max_tokens: int. Length of a window; includes [CLS] and [SEP].
        windows: int. How many a text is read in, one after the other, each by
            itself; what is longer is cut. Two of half the length cost less
            than one, and tell more of long texts to a model of sentences.
        pooling: `"mean"` averages the tokens, as sentence-transformers does;
            `"cls"` BERT's own pooled outputs of the windows. Either is scaled
            to length 1.
        vocabulary: str. Preset that the word pieces are from. By default that
            of `weights`; for random weights the MiniLM package, which carries
            the word pieces of `bert_base_en_uncased`.
        fold_look_alikes: bool. Reads letters as they look, see `fold_look_alikes`,
            against titles that are written so that no program finds their words.
        title_tokens: int. With more than 0, the first line of the text, which
            is the product's title where it has one, is read once more by
            itself, up to so many tokens, and the two embeddings stand side by
            side: what a product is called says more than what follows.
        num_layers: int. With more than 0, only the first so many layers are used.
        max_pieces: int. With more than 0, only word pieces that training texts
            are cut into are kept, the most frequent up to so many, beside all
            single characters, of which other words are spelled.

    Reference:
        Devlin et al., 2018, arXiv:1810.04805.
    """

    modality: ClassVar[str] = "text"
    parts: ClassVar[Mapping[str, str]] = {
        "weights": ".*",
        "biases": ".*",
        "blocks": r"transformer_layer_\d+",
        "transformers": r"transformer_layer_\d+",
        "kernels": "query|value",
    }

    def __init__(
        self,
        name: str,
        tuning: str = "frozen",
        tuning_options: Mapping[str, Any] | None = None,
        adapter: str = "",
        *,
        weights: str = "package:all-minilm-l6-v2",
        max_tokens: int = 128,
        windows: int = 1,
        pooling: str = "mean",
        vocabulary: str = "",
        title_tokens: int = 0,
        fold_look_alikes: bool = False,
        num_layers: int = 0,
        max_pieces: int = 0,
    ) -> None:
        super().__init__(name, tuning, tuning_options, adapter)
        if pooling not in POOLINGS:
            raise ValueError(
                f"`pooling` must be one of {list(POOLINGS)}. Received: pooling={pooling!r}."
            )
        if windows < 1:
            raise ValueError(f"`windows` must be at least 1. Received: windows={windows}.")
        for option, number in {"num_layers": num_layers, "max_pieces": max_pieces}.items():
            if number < 0:
                raise ValueError(f"`{option}` must be at least 0. Received: {option}={number}.")
        self._windows = {"max_tokens": windows, "title_tokens": 1}
        self._lengths = {"max_tokens": max_tokens}
        if title_tokens:
            self._lengths["title_tokens"] = title_tokens
        for option, tokens in self._lengths.items():
            if tokens < 3:
                raise ValueError(
                    f"`{option}` must leave room for one token between [CLS] and [SEP], so 3 or "
                    f"more. Received: {option}={tokens}."
                )
        self.weights = weights
        self.pooling = pooling
        self.vocabulary = vocabulary
        self.fold_look_alikes = fold_look_alikes
        self.num_layers = num_layers
        self.max_pieces = max_pieces
        self.adapts = max_pieces > 0
        self._state: dict[str, Any] = {}
        self._tokenizer: Any = None

    def adapt(self, values: np.ndarray) -> None:
        """Finds the word pieces of the texts, where only those are kept."""
        if not self.max_pieces:
            return
        pieces, lowercase = self._all_pieces
        self.set_state({"vocabulary": pieces, "lowercase": lowercase})
        counts = np.zeros(len(pieces), np.int64)
        for start in range(0, len(values), _ROWS_AT_ONCE):
            tensors = self.preprocess(tf.constant(list(values[start : start + _ROWS_AT_ONCE])))
            for name, ids in tensors.items():
                if name.endswith("_token_ids"):
                    counts += np.bincount(ids.numpy().ravel(), minlength=len(pieces))
        basic = np.array([_is_basic(piece) for piece in pieces])
        counts[basic] = 0
        ranked = np.argsort(-counts, kind="stable")[: self.max_pieces]
        kept = np.union1d(ranked[counts[ranked] > 0], np.flatnonzero(basic))
        found = [pieces[index] for index in kept]
        self.set_state({"vocabulary": found, "lowercase": lowercase})

    def get_state(self) -> dict[str, Any]:
        """Returns the word pieces, in the order of their ids, and whether text is lower-cased."""
        if not self._state:
            pieces, lowercase = self._all_pieces
            self._state = {"vocabulary": pieces, "lowercase": lowercase}
        return self._state

    def set_state(self, state: dict[str, Any]) -> None:
        self._state = state
        self._tokenizer = None

    def input_specs(self) -> dict[str, tf.TensorSpec]:
        return {
            f"{self.name}{_VIEWS[option]}_{tensor}": tf.TensorSpec(
                (self._windows[option] * tokens,), tf.int32
            )
            for option, tokens in self._lengths.items()
            for tensor in ("token_ids", "padding_mask")
        }

    def preprocess(self, values: tf.Tensor) -> dict[str, tf.Tensor]:
        if self.fold_look_alikes:
            values = fold_look_alikes(values)
        tensors = {}
        for option, tokens in self._lengths.items():
            view = self.name + _VIEWS[option]
            texts = _first_lines(values) if option == "title_tokens" else values
            token_ids, padding_mask = self._tokenize(texts, self._windows[option], tokens)
            tensors[f"{view}_token_ids"] = token_ids
            tensors[f"{view}_padding_mask"] = padding_mask
        return tensors

    def shorten(self, tensors: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        found = {}
        for option, tokens in self._lengths.items():
            view = self.name + _VIEWS[option]
            length = _find_length(tensors[f"{view}_padding_mask"], tokens)
            for name in (f"{view}_token_ids", f"{view}_padding_mask"):
                found[name] = tensors[name][:, :length]
        return found

    def build(self) -> keras.Model:
        backbone = PretrainedBackbone(self._load_network(), name=f"{self.name}_backbone")
        inputs = {key: keras.Input((None,), dtype="int32", name=key) for key in self.input_specs()}
        embeddings = []
        for option, tokens in self._lengths.items():
            view = self.name + _VIEWS[option]
            token_ids, mask = inputs[f"{view}_token_ids"], inputs[f"{view}_padding_mask"]
            windows = self._windows[option]
            if windows > 1:
                split = SplitWindows(tokens, name=f"{view}_windows")
                token_ids, shown = split(token_ids), split(mask)
            else:
                shown = mask
            output = backbone(
                {
                    "token_ids": token_ids,
                    "segment_ids": ops.zeros_like(token_ids),
                    "padding_mask": shown,
                }
            )
            if self.pooling == "cls":
                # Of each window one vector in place of one a token.
                mask = mask[:, ::tokens]
                output = output[:, None]
            if windows > 1:
                output = JoinWindows(name=f"{view}_joined")(output, mask)
            output = MeanPooling(name=f"{view}_pooling")(output, mask)
            unit = keras.layers.UnitNormalization(dtype="float32", name=f"{view}_unit")
            embeddings.append(unit(output))
        model = keras.Model(inputs, ops.concatenate(embeddings, axis=-1), name=self.name)
        return self._tune(model)

    def find_points(self, model: keras.Model) -> list[Point]:
        backbone = model.get_layer(f"{self.name}_backbone").layer
        padding_id = self.get_state()["vocabulary"].index("[PAD]")
        return [token_point(backbone.get_layer("token_embedding"), padding_id)]

    def place_tokens(self, words: Words) -> tf.Tensor:
        texts, starts = words.values, words.starts.values
        if self.fold_look_alikes:
            own = words.texts.values
            # What folding takes away of a word moves those that follow.
            shorter = tf.strings.length(own) - tf.strings.length(fold_look_alikes(own))
            texts, starts = fold_look_alikes(texts), starts - tf.cumsum(shorter, exclusive=True)
        places = []
        for option, tokens in self._lengths.items():
            shown = _first_lines(texts) if option == "title_tokens" else texts
            windows, room = self._windows[option], tokens - 2
            shown = self._cut_text(shown, windows, tokens)
            offsets = self._load_tokenizer().tokenize_with_offsets(shown)[1].values
            own = tf.searchsorted(starts, tf.cast(offsets, tf.int32), side="right") - 1
            own = own[: windows * room]
            own = tf.pad(own, [[0, windows * room - tf.size(own)]], constant_values=-1)
            framed = tf.pad(tf.reshape(own, (windows, room)), [[0, 0], [1, 1]], constant_values=-1)
            places.append(tf.reshape(framed, [-1]))
        return tf.concat(places, axis=0)

    def _tokenize(
        self, texts: tf.Tensor, windows: int, max_tokens: int
    ) -> tuple[tf.Tensor, tf.Tensor]:
        """Returns token ids and padding mask, int32 `(batch, windows * max_tokens)`."""
        vocabulary = self.get_state()["vocabulary"]
        pad, start, end = (vocabulary.index(piece) for piece in ("[PAD]", "[CLS]", "[SEP]"))
        texts = self._cut_text(texts, windows, max_tokens)
        room = max_tokens - 2
        pieces = self._load_tokenizer().tokenize(texts)[:, : windows * room]
        # Of each window `(batch, windows, 1)`: how many pieces it has. The first is never left out.
        first = tf.range(windows)[:, None]
        held = tf.cast(pieces.row_lengths(), tf.int32)[:, None, None] - first * room
        is_read = (held > 0) | (first == 0)
        held = tf.clip_by_value(held, 0, room)
        place = tf.range(max_tokens)
        mask = is_read & (place < held + 2)
        inner = tf.reshape(pieces.to_tensor(pad, shape=(None, windows * room)), (-1, windows, room))
        token_ids = tf.pad(inner, ((0, 0), (0, 0), (1, 1)))
        token_ids = tf.where(place == 0, start, tf.where(place == held + 1, end, token_ids))
        token_ids = tf.where(mask, token_ids, pad)
        flat = (-1, windows * max_tokens)
        return tf.reshape(token_ids, flat), tf.reshape(tf.cast(mask, tf.int32), flat)

    def _cut_text(self, texts: tf.Tensor, windows: int, max_tokens: int) -> tf.Tensor:
        # The cut may fall inside a word, nearly always one beyond those that are kept.
        return tf.strings.substr(texts, 0, _BYTES_PER_TOKEN * windows * max_tokens)

    @functools.cached_property
    def _all_pieces(self) -> tuple[list[str], bool]:
        """Word pieces of the preset, and whether text is lower-cased for them."""
        other = self.vocabulary or (_RANDOM_VOCABULARY if self.weights == "random" else "")
        return load_vocabulary(resolve_weights(other) if other else self._source)

    @functools.cached_property
    def _source(self) -> WeightsSource:
        return resolve_weights(self.weights)

    def _load_network(self) -> keras.Model:
        """Loads BERT up to the output that is used; a dense layer without gradient would warn."""
        import keras_hub

        if self._source.kind == "random":
            backbone = keras_hub.models.BertBackbone(**_BASE)
            logger.info("Weights 'random': BERT-base drawn at random, as asked for")
        else:
            backbone = load_backbone(self._source, "BertBackbone")
        self._check_sizes(backbone)
        backbone = self._cut(backbone)
        output = "sequence_output" if self.pooling == "mean" else "pooled_output"
        return keras.Model(backbone.input, backbone.output[output], name=backbone.name)

    def _cut(self, backbone: keras.Model) -> keras.Model:
        """Leaves out layers and word pieces that are not kept."""
        if not self.num_layers and not self.max_pieces:
            return backbone
        piece_ids = list(range(backbone.vocabulary_size))
        if self.max_pieces:
            known = {piece: index for index, piece in enumerate(self._all_pieces[0])}
            piece_ids = [known[piece] for piece in self.get_state()["vocabulary"]]
        return cut_bert(backbone, self.num_layers, piece_ids)

    def _check_sizes(self, backbone: keras.Model) -> None:
        for option, tokens in self._lengths.items():
            if tokens > backbone.max_sequence_length:
                raise ValueError(
                    f"{self.weights!r} reads at most {backbone.max_sequence_length} tokens. "
                    f"Received: {option}={tokens}."
                )
        num_pieces = len(self.get_state()["vocabulary"])
        if num_pieces > backbone.vocabulary_size:
            raise ValueError(
                f"{self.weights!r} knows {backbone.vocabulary_size} word pieces. "
                f"Received a vocabulary of {num_pieces}: vocabulary={self.vocabulary!r}."
            )

    def _load_tokenizer(self) -> Any:
        if self._tokenizer is None:
            import tensorflow_text

            state = self.get_state()
            # Outside the graph being traced: the tokenizer's tables serve all later graphs.
            with tf.init_scope():
                self._tokenizer = tensorflow_text.FastBertTokenizer(
                    vocab=state["vocabulary"],
                    token_out_type=tf.int32,
                    lower_case_nfd_strip_accents=state["lowercase"],
                )
        return self._tokenizer


def _is_basic(piece: str) -> bool:
    return piece in _SPECIAL or len(piece.removeprefix("##")) == 1


def _first_lines(texts: tf.Tensor) -> tf.Tensor:
    return tf.strings.regex_replace(texts, r"\n(?s:.*)", "", replace_global=False)


def _find_length(mask: np.ndarray, max_tokens: int) -> int:
    """Returns how long the longest of some texts is: less than a window, or whole windows."""
    end = 1 + int(np.flatnonzero(mask.any(axis=0)).max(initial=0))
    if end > max_tokens:
        return -(-end // max_tokens) * max_tokens
    return min(-(-end // _STEP) * _STEP, max_tokens)

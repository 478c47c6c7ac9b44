"""What every encoder answers: raw values -> tensors -> one embedding a row."""

from __future__ import annotations

import abc
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from trainer.registry import TUNING
from trainer.weights.adapter_file import AdapterCard, load_adapter, write_adapter
from trainer.weights.checksum import digest_weights

if TYPE_CHECKING:
    import keras
    import numpy as np
    import tensorflow as tf

    from trainer.layers.perturbation import Point
    from trainer.layers.word_ops import Words
    from trainer.tuning.tuning import Tuning


class Encoder(abc.ABC):
    """Turns the raw values of one modality into embeddings.

    An encoder has two halves. `preprocess` is made of TensorFlow operations
    and runs in tf.data and inside the exported graph alike, so that training
    and serving cannot differ. `build` returns the Keras half, which is trained.

    A member is registered with `@ENCODERS.register(name)`. Its constructor
    takes `name` and keyword options with defaults; those are the options of
    the configuration, `model.encoders.<modality>.<encoder>.<option>`.

    Args:
        name: str. Unique in a model; prefix of layer and tensor names.
        tuning: str. A registered tuning method, which says what of the
            encoder is trained. `"frozen"` keeps it as it was loaded, so that
            its embeddings can be computed once; `"full"` trains all of it.
        tuning_options: The method's arguments.
        adapter: str. File of `trainer.weights.adapter_file` to start from,
            of this method or, where frozen, of any.
    """

    modality: ClassVar[str]
    """The kind of modality that it reads."""
    pretrained: ClassVar[bool] = True
    """Whether its embedding is worth something before it was trained here: then
    the first stage takes it as it is and computes it once for each product."""
    adapts: bool = False
    """Whether `adapt` learns anything, so that other rows give other embeddings."""
    parts: ClassVar[Mapping[str, str]] = {}
    """What tuning methods find in it: regular expressions of layer names by kind. Kinds are
    `weights` and `biases`, `blocks` (alike, from input to output), `kernels` (dense or pointwise
    layers that low ranks change) and `transformers` (KerasHub's `TransformerEncoder`)."""

    def __init__(
        self,
        name: str,
        tuning: str = "frozen",
        tuning_options: Mapping[str, Any] | None = None,
        adapter: str = "",
    ) -> None:
        self.name = name
        self.tuning = tuning
        self.adapter = adapter
        self.method = self._make_method(tuning, tuning_options or {})
        self._base_digest = ""

    def adapt(self, values: np.ndarray) -> None:  # noqa: B027 - most learn nothing
        """Learns what preprocessing needs (vocabulary, mean) from training rows only.

        Args:
            values: `(rows,)` array of raw values, `bytes` objects or float32;
                absent ones are included.
        """

    def get_state(self) -> dict[str, Any]:
        """Returns what `adapt` learned as something JSON can hold."""
        return {}

    def set_state(self, state: dict[str, Any]) -> None:  # noqa: B027 - most learn nothing
        """Restores what `get_state` returned."""

    @abc.abstractmethod
    def input_specs(self) -> dict[str, tf.TensorSpec]:
        """Returns the tensors that `preprocess` makes, shapes without the batch."""

    @abc.abstractmethod
    def preprocess(self, values: tf.Tensor) -> dict[str, tf.Tensor]:
        """Turns raw values into tensors for the Keras half, in graph operations.

        Args:
            values: tensor `(batch,)` of the modality's dtype. Absent values
                give any valid tensors; the fusion is told which are absent.

        Returns:
            Tensors by name as `input_specs` says, with a leading batch axis.
        """

    def shorten(self, tensors: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Cuts off what is only there to make texts equally long.

        Args:
            tensors: Some with those that `preprocess` returned among them.

        Returns:
            Its own, as short as they can be; `build`'s model answers them the same.
        """
        del tensors
        return {}

    def get_resources(self) -> list[Any]:
        """Returns lookup tables and the like that an exported graph must carry along."""
        return []

    @abc.abstractmethod
    def build(self) -> keras.Model:
        """Builds the Keras half.

        Returns:
            A functional model called `self.name` from a dict of the tensors of
            `input_specs` to an embedding `(batch, dim)`. Embeddings of
            pretrained encoders have about length 1.
        """

    def find_points(self, model: keras.Model) -> list[Point]:
        """Returns where what it reads may be perturbed; by default only what it returns.

        Args:
            model: What `build` made, or such a model that was saved and loaded.
        """
        from trainer.layers.perturbation import embedding_point

        return [embedding_point(self.modality, model.layers[-1])]

    def explain(
        self,
        model: keras.Model,
        tensors: Mapping[str, tf.Tensor],
        slope: tf.Tensor,
        words: Words | None,
    ) -> tf.Tensor | None:
        """Splits what the embedding of one product adds to an output among what was read.

        By default integrated gradients at `find_points`: of its pixels from
        their mean colour, and of its tokens from padding, where `place_tokens`
        says of which words they are.

        Args:
            model: What `build` made, or such a model that was saved and loaded.
            tensors: What `preprocess` gave of the product, `(1, ...)` by name.
            slope: float tensor `(dim,)`, of the output by the embedding.
            words: Of its text; `None` where the modality has none.

        Returns:
            Float tensor: of an image `(NUM_REGIONS, NUM_REGIONS)`, of a text
            one score a word; `None` where nothing can be told apart.
        """
        import tensorflow as tf

        from trainer.layers.attribution import explain_pixels, explain_tokens
        from trainer.layers.word_ops import sum_words

        with tf.init_scope():  # Points know the size of weights.
            points = {point.name: point for point in self.find_points(model)}
        if self.modality == "image" and "pixels" in points:
            return explain_pixels(model, points["pixels"], tensors, slope)
        places = None if words is None else self.place_tokens(words)
        if places is not None and "tokens" in points:
            scores = explain_tokens(model, points["tokens"], tensors, slope)
            return sum_words(scores, places, words)
        return None

    def place_tokens(self, words: Words) -> tf.Tensor | None:
        """Says of which word each token is, that `build`'s model makes a vector of.

        Args:
            words: Of one text.

        Returns:
            int32 tensor `(tokens,)`, all calls of the layer one after the other;
            -1 of none, such as padding. `None` where nothing is known of them.
        """
        del words
        return None

    def check_adapter(self) -> None:
        """Raises an error where the adapter file is missing or of another method."""
        if self.adapter:
            self._load_method()

    def write_adapter(self, path: Path, model: keras.Model) -> None:
        """Writes what was trained of `model`, which `build` made and which is not merged yet."""
        write_adapter(path, model, AdapterCard(self.tuning, self.method.options, self._base_digest))

    def _tune(self, model: keras.Model) -> keras.Model:
        """Makes a built Keras half trainable as configured, from where the adapter was."""
        if not self.method.trains and not self.adapter:
            self.method.apply(model, "")
            return model
        self._base_digest = digest_weights(model)
        start = self._load_method() if self.adapter else self.method
        start.apply(model, self.parts[start.part])
        if self.adapter:
            load_adapter(Path(self.adapter), model, self._base_digest)
        if not self.method.trains:
            start.merge(model)
            self.method.apply(model, "")
        return model

    def _load_method(self) -> Tuning:
        """Returns the method that the adapter file is of."""
        card = AdapterCard.load(Path(self.adapter))
        if not self.method.trains:
            return self._make_method(card.method, card.options)
        if (card.method, card.options) != (self.tuning, self.method.options):
            raise ValueError(
                f"The adapter of {self.name!r} goes on as it was trained, or frozen. Expected: "
                f"tuning={card.method!r}, tuning_options={card.options}. Received: "
                f"tuning={self.tuning!r}, tuning_options={self.method.options}."
            )
        return self.method

    def _make_method(self, tuning: str, options: Mapping[str, Any]) -> Tuning:
        method = TUNING.make(tuning, options)
        if method.trains and method.part not in self.parts:
            possible = [
                name for name in TUNING.names() if TUNING.get(name).part in ("", *self.parts)
            ]
            raise ValueError(
                f"Encoder {self.name!r} has no {method.part} for {tuning!r} to train. "
                f"Expected one of {possible}. Received: tuning={tuning!r}."
            )
        return method

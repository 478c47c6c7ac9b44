"""A trained network as it answers raw values, and open to attacks."""

from __future__ import annotations

import functools
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from trainer.artefact import MODEL_FILE, ModelCard, find_export
from trainer.attacks.victim import Pictures, Victim
from trainer.export import build_serving_module
from trainer.inputs import InputSpec
from trainer.layers.perturbation import run_perturbed
from trainer.layers.rule_ops import find_excluded
from trainer.preprocessing import Branch, preprocess, present_name, raw_values
from trainer.registry import MODALITIES
from trainer.saved_network import load_branches, load_network

RawRow = Mapping[str, bytes | float]

_BATCH_SIZE = 32
_FAR_BELOW = 1e4


class Subject:
    """Answers products, and lets attacks at their pictures.

    Args:
        card: Inputs, classes and rules.
        branches: Preprocessing.
        scorer: From preprocessed tensors to probabilities.
    """

    def __init__(self, card: ModelCard, branches: Sequence[Branch], scorer: keras.Model) -> None:
        self.card = card
        self.branches = tuple(branches)
        self.scorer = scorer
        self._module = build_serving_module(branches, scorer, card)
        self._graphs: dict[tuple[str, ...], Any] = {}

    def answer(self, rows: Sequence[RawRow]) -> np.ndarray:
        """Returns probabilities `(rows, num_classes)`."""
        parts = [
            self._module.serve(raw_values(self.card.inputs, rows[start : start + _BATCH_SIZE]))[
                "scores"
            ].numpy()
            for start in range(0, len(rows), _BATCH_SIZE)
        ]
        return np.concatenate(parts or [np.zeros((0, len(self.card.class_names)), np.float32)])

    @functools.cached_property
    def picture_branch(self) -> Branch | None:
        """The encoder whose pixels can be attacked, if it is the only one that reads pictures."""
        found = [branch for branch in self.branches if branch.input.kind == "image"]
        if len(found) != 1 or not self._points(found[0]):
            return None
        return found[0]

    @functools.cached_property
    def victim(self) -> Victim:
        """The network as a function of its pixels; the rest of a product stands beside them."""
        branch = self.picture_branch
        encoder = self.scorer.get_layer(branch.name)
        (key, spec), *_ = branch.encoder.input_specs().items()
        points = self._points(branch)

        def score(pixels: tf.Tensor, beside: Mapping[str, tf.Tensor]) -> tf.Tensor:
            blank = {key: tf.zeros_like(pixels, spec.dtype)}
            embedding = run_perturbed(encoder, points, blank, lambda _: pixels, training=False)
            return self._pool({**beside, branch.name: embedding})

        return Victim(score)

    def pictures(
        self, rows: Sequence[RawRow], class_ids: np.ndarray, hidden: Collection[str] = ()
    ) -> Pictures:
        """Prepares products for `victim`.

        Args:
            rows: Products.
            class_ids: `(rows,)`.
            hidden: Inputs that the network is not shown.
        """
        shown = [self.hide(row, hidden) for row in rows]
        arrays = self.embed(shown)
        key = next(iter(self.picture_branch.encoder.input_specs()))
        pixels = arrays.pop(key).astype(np.float32)
        return Pictures(pixels, np.asarray(class_ids, np.int32), arrays)

    def embed(
        self, rows: Sequence[RawRow], inputs: Collection[str] | None = None
    ) -> dict[str, np.ndarray]:
        """Returns what the votes read, `(rows, ...)` by name, but the pixels as they are.

        Args:
            rows: Products.
            inputs: Names of those that are embedded; all by default. Presences
                and excluded classes are always there.
        """
        known = {spec.name for spec in self.card.inputs} if inputs is None else set(inputs)
        branches = [branch for branch in self.branches if branch.input.name in known]
        graph = self._graphs.setdefault(
            tuple(branch.name for branch in branches),
            tf.function(lambda raw: self._embed(branches, raw), reduce_retracing=True),
        )
        parts = []
        for start in range(0, len(rows), _BATCH_SIZE):
            found = graph(raw_values(self.card.inputs, rows[start : start + _BATCH_SIZE]))
            parts.append({name: of.numpy() for name, of in found.items()})
        return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}

    def pool(self, arrays: Mapping[str, np.ndarray]) -> np.ndarray:
        """Returns logits `(rows, num_classes)` of what `embed` gives, all branches embedded."""
        return self._pool(_constants(arrays)).numpy()

    def slopes(
        self, arrays: Mapping[str, np.ndarray], silent: int | None = None
    ) -> tuple[np.ndarray, np.ndarray]:
        """Returns `pool`, and its gradients by the picture's embedding.

        Args:
            arrays: What `embed_pixels` gives.
            silent: A vote that abstains; none by default.

        Returns:
            `(rows, num_classes)` and `(rows, num_classes, dim)`.
        """
        read = _constants(arrays)
        embedding = read[self.picture_branch.name]
        with tf.GradientTape(persistent=True) as tape:
            tape.watch(embedding)
            logits = self._pool(read, silent)
            sums = [tf.reduce_sum(of) for of in tf.unstack(logits, axis=1)]
        slopes = [tape.gradient(of, embedding, unconnected_gradients="zero") for of in sums]
        return logits.numpy(), tf.stack(slopes, axis=1).numpy()

    def _pool(self, read: Mapping[str, tf.Tensor], silent: int | None = None) -> tf.Tensor:
        votes, pool = map(self.scorer.get_layer, ("votes", "pool"))
        given = {name: of for name, of in read.items() if name != "excluded"}
        told = votes(given, training=False)
        if silent is not None:
            told *= tf.one_hot(silent, told.shape[1], 0.0, 1.0)[:, None]
        logits = pool(told, training=False)
        return tf.cast(logits, tf.float32) - _FAR_BELOW * read["excluded"]

    def embed_pixels(self, arrays: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Returns what `embed` gives with the embedding of the pixels in their place."""
        encoder = self.scorer.get_layer(self.picture_branch.name)
        key = next(iter(self.picture_branch.encoder.input_specs()))
        pixels = arrays[key]
        parts = [
            encoder({key: tf.constant(pixels[start : start + _BATCH_SIZE])}, training=False)
            for start in range(0, len(pixels), _BATCH_SIZE)
        ]
        others = {name: of for name, of in arrays.items() if name != key}
        return {**others, self.picture_branch.name: np.concatenate(parts)}

    def hide(self, row: RawRow, names: Collection[str]) -> RawRow:
        """Returns a product that has nothing of some inputs."""
        return {**row, **{name: self.absent(name) for name in names}} if names else row

    def absent(self, name: str) -> bytes | float:
        """Returns the raw value that says that a product has nothing of an input."""
        return MODALITIES.get(self.spec(name).kind).absent

    def spec(self, name: str) -> InputSpec:
        """Returns an input by its name."""
        return next(spec for spec in self.card.inputs if spec.name == name)

    def _embed(self, branches: Sequence[Branch], raw: Mapping[str, tf.Tensor]) -> dict[str, Any]:
        tensors = preprocess(branches, raw)
        found: dict[str, Any] = {
            present_name(spec.name): MODALITIES.get(spec.kind)().present(raw[spec.name])
            for spec in self.card.inputs
        }
        for branch in branches:
            own = {name: tensors[name] for name in branch.encoder.input_specs()}
            if branch is self.picture_branch:
                found.update(own)
            else:
                encoder = self.scorer.get_layer(branch.name)
                found[branch.name] = encoder(own, training=False)
        excluded = find_excluded(self.card.rules, self.card.class_names, raw)
        # Rules that leave no class are not followed.
        excluded &= ~tf.reduce_all(excluded, axis=1, keepdims=True)
        found["excluded"] = tf.cast(excluded, tf.float32)
        return found

    def _points(self, branch: Branch) -> list[Any]:
        points = branch.encoder.find_points(self.scorer.get_layer(branch.name))
        return [point for point in points if point.name == "pixels"]


def _constants(arrays: Mapping[str, np.ndarray]) -> dict[str, tf.Tensor]:
    return {name: tf.constant(of) for name, of in arrays.items()}


def load_subject(workdir: Path) -> Subject:
    """Loads the network of a workdir.

    Raises:
        FileNotFoundError: where it has none; an export alone has no gradients.
    """
    if not (workdir / MODEL_FILE).is_file():
        raise FileNotFoundError(
            f"No {MODEL_FILE} in {workdir.absolute()}. Give the workdir of `taxofuse run` or "
            "`taxofuse train`: attacks need gradients, which an exported model does not have."
        )
    scorer, state = load_network(workdir)
    card = ModelCard.load(find_export(workdir))
    return Subject(card, load_branches(state, card.inputs), scorer)

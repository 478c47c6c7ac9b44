"""Embeddings of pretrained encoders, computed once and kept."""

from __future__ import annotations

import hashlib
import itertools
import json
import math
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any
from weakref import WeakKeyDictionary

import keras
import numpy as np
import tensorflow as tf

from trainer.features import has_arrays, open_arrays, write_arrays
from trainer.input_pipeline import (
    CLASS_ID,
    READ_AT_ONCE,
    branch_dataset,
    raw_dataset,
    split_folder,
)
from trainer.preprocessing import Branch, present_name
from trainer.progress import progress_bar
from trainer.records import count_records


class FeatureStore:
    """Keeps what each branch computed of each split, by content.

    A branch that changes is computed anew; the others are found again, in
    this run and in the next one in the same folder.

    Args:
        folder: Of the features.
        examples: Folder of `write_examples`.
        fingerprint: str. Of the catalogue that the examples are from.
    """

    def __init__(self, folder: Path, examples: Path, fingerprint: str) -> None:
        self.folder = folder
        self.examples = examples
        self.fingerprint = fingerprint
        self._frozen: dict[str, keras.Model] = {}
        self._traced: dict[str, tuple[keras.Model, Callable[..., tf.Tensor]]] = {}
        self._digests: WeakKeyDictionary[keras.Model, str] = WeakKeyDictionary()

    def build_encoders(self, branches: Sequence[Branch]) -> dict[str, keras.Model]:
        """Builds the Keras half of every branch; frozen ones that learn nothing are loaded once."""
        encoders = {}
        for branch in branches:
            key = repr((branch.name, branch.encoder_name, sorted(branch.options.items())))
            shared = branch.encoder.trainable == "frozen" and not branch.encoder.adapts
            if shared and key in self._frozen:
                encoders[branch.name] = self._frozen[key]
                continue
            encoders[branch.name] = branch.encoder.build()
            if shared:
                self._frozen[key] = encoders[branch.name]
        return encoders

    def adapt(self, branches: Sequence[Branch], splits: Sequence[str]) -> None:
        """Lets encoders learn what preprocessing needs from the rows of some splits."""
        for branch in branches:
            if branch.encoder.adapts:
                branch.encoder.adapt(self.raw_values(branch, splits))

    def raw_values(self, branch: Branch, splits: Sequence[str]) -> np.ndarray:
        """Returns the raw values of a branch's input, `(rows,)`."""
        name = branch.input.name
        parts = [
            batch[name]
            for split in splits
            for batch in raw_dataset(split_folder(self.examples, split), [name]).as_numpy_iterator()
        ]
        return np.concatenate(parts) if parts else np.array([], object)

    def arrays(
        self,
        branches: Sequence[Branch],
        encoders: dict[str, keras.Model],
        splits: Sequence[str],
        adapted_on: Sequence[str],
    ) -> dict[str, np.ndarray]:
        """Returns what the first stage of training reads of some splits.

        Args:
            branches: The encoders.
            encoders: Their Keras halves.
            splits: One after the other.
            adapted_on: Splits that the encoders learned from.

        Returns:
            Arrays `(rows, ...)`: of pretrained branches the embedding by
            branch name, of the others their preprocessed tensors, and
            presences.
        """
        per_split = []
        for split in splits:
            if count_records(split_folder(self.examples, split)) == 0:
                continue
            tensors: dict[str, np.ndarray] = {}
            for branch in branches:
                tensors.update(self._branch_arrays(branch, encoders, split, adapted_on))
            per_split.append(tensors)
        if not per_split:
            return {}
        return {
            name: np.concatenate([tensors[name] for tensors in per_split])
            if len(per_split) > 1
            else per_split[0][name]
            for name in per_split[0]
        }

    def class_ids(self, splits: Sequence[str]) -> np.ndarray:
        """Returns the class ids of some splits, `(rows,)` int32."""
        parts = [
            batch[CLASS_ID]
            for split in splits
            for batch in raw_dataset(
                split_folder(self.examples, split), [CLASS_ID], 4096
            ).as_numpy_iterator()
        ]
        return np.concatenate(parts) if parts else np.array([], np.int32)

    def _branch_arrays(
        self,
        branch: Branch,
        encoders: dict[str, keras.Model],
        split: str,
        adapted_on: Sequence[str],
    ) -> dict[str, np.ndarray]:
        encoder = encoders[branch.name]
        described = {
            "encoder": branch.encoder_name,
            # Of random weights, of a file that was replaced, of directions found on another
            # machine: only the weights themselves tell.
            "weights": self._digest(encoder) if branch.encoder.pretrained else "",
            "precision": encoder.dtype_policy.name,
            "options": dict(branch.options),
            "input": [branch.input.kind, *branch.input.columns],
            "adapted_on": list(adapted_on) if branch.encoder.adapts else [],
            "examples": self.fingerprint,
        }
        key = hashlib.sha256(json.dumps(described, sort_keys=True).encode()).hexdigest()[:16]
        folder = self.folder / f"{branch.name}-{key}"
        if not has_arrays(split_folder(folder, split)):
            self._write_missing(branch, encoder, folder)
        return open_arrays(split_folder(folder, split))

    def _write_missing(self, branch: Branch, encoder: keras.Model, folder: Path) -> None:
        """Computes what is missing of all splits in one go, which traces the graph once."""
        splits = [path.name for path in sorted(self.examples.glob(split_folder(Path(), "*").name))]
        missing = {
            split: count_records(self.examples / split)
            for split in splits
            if not has_arrays(folder / split)
        }
        sources = [self.examples / split for split in missing]
        with progress_bar(f"{branch.name} embeddings", sum(missing.values())) as bar:
            batches = _branch_batches(sources, branch, self._trace(branch, encoder), bar)
            for split, num_rows in missing.items():
                own = itertools.islice(batches, math.ceil(num_rows / READ_AT_ONCE))
                write_arrays(folder / split, own, num_rows)

    def _trace(self, branch: Branch, encoder: keras.Model) -> Callable[..., tf.Tensor]:
        """Returns the encoder as a graph, traced once for all splits and batch sizes."""
        known = self._traced.get(branch.name)
        if known is None or known[0] is not encoder:
            signature = {
                name: tf.TensorSpec([None, *spec.shape], spec.dtype)
                for name, spec in branch.encoder.input_specs().items()
            }
            embed = tf.function(
                lambda tensors: tf.cast(encoder(tensors, training=False), tf.float32),
                input_signature=[signature],
            )
            known = self._traced[branch.name] = (encoder, embed)
        return known[1]

    def _digest(self, encoder: keras.Model) -> str:
        if encoder in self._digests:
            return self._digests[encoder]
        digest = hashlib.blake2b(digest_size=16)
        for weight in encoder.weights:
            digest.update(np.ascontiguousarray(weight.numpy()).view(np.uint8))
        if not encoder.trainable_weights:  # cannot change any more
            self._digests[encoder] = digest.hexdigest()
        return digest.hexdigest()


def _branch_batches(
    sources: Sequence[Path], branch: Branch, embed: Callable[..., tf.Tensor], bar: Any
) -> Iterator[dict[str, np.ndarray]]:
    key = present_name(branch.input.name)
    for tensors in branch_dataset(sources, branch):
        present = tensors.pop(key)
        batch = {key: present.numpy()}
        if branch.encoder.pretrained:
            batch[branch.name] = embed(tensors).numpy()
        else:
            batch.update({name: tensor.numpy() for name, tensor in tensors.items()})
        bar.update(len(present))
        yield batch

"""Embeddings of pretrained encoders, computed once and kept."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any
from weakref import WeakKeyDictionary

import keras
import numpy as np
import tensorflow as tf

from trainer.features import StackedRows, has_arrays, open_arrays, write_arrays
from trainer.input_pipeline import content_name, raw_dataset
from trainer.preprocessing import Branch, preprocess, present_name, raw_specs
from trainer.progress import progress_bar
from trainer.records import count_records
from trainer.weights.checksum import digest_weights

# Features of other preprocessing would not be those of the export.
_FEATURES_VERSION = 1
Graph = Callable[[dict[str, tf.Tensor]], Any]
Batches = Iterator[dict[str, np.ndarray]]


class FeatureStore:
    """Keeps what each branch computed of each row, by content.

    A branch that changes is computed anew; the others are found again, in
    this run and in the next one in the same folder.

    Rows are known by their positions in all sources, one after the other.

    Args:
        folder: Of the features.
        sources: Folders of records of raw values. What `content_name` says of
            them tells their content: the same name is the same rows.
    """

    def __init__(self, folder: Path, sources: Sequence[Path]) -> None:
        self.folder = folder
        self.sources = tuple(sources)
        self.elsewhere: Callable[[Branch, str, Path], Batches] | None = None
        """Returns what a frozen pretrained branch, the digest of whose weights is given, makes of
        a source, in batches as `embed_records` does; by default it is computed here."""
        self._starts = np.cumsum([0, *map(count_records, sources)])
        self._filled = [of for of, rows in zip(sources, np.diff(self._starts), strict=True) if rows]
        self._frozen: dict[str, keras.Model] = {}
        self._traced: dict[str, tuple[keras.Model, Graph, Graph]] = {}
        self._values: dict[str, np.ndarray] = {}
        self._digests: WeakKeyDictionary[keras.Model, str] = WeakKeyDictionary()

    def build_encoders(self, branches: Sequence[Branch]) -> dict[str, keras.Model]:
        """Builds the Keras half of every branch; frozen ones that learn nothing are loaded once."""
        encoders = {}
        for branch in branches:
            key = repr((branch.name, branch.encoder_name, sorted(branch.options.items())))
            shared = not branch.encoder.method.trains and not branch.encoder.adapts
            if shared and key in self._frozen:
                encoders[branch.name] = self._frozen[key]
                continue
            encoders[branch.name] = branch.encoder.build()
            if shared:
                self._frozen[key] = encoders[branch.name]
        return encoders

    @property
    def num_rows(self) -> int:
        """Rows of all sources."""
        return int(self._starts[-1])

    def positions(self, source: int) -> np.ndarray:
        """Returns where the rows of a source are, `(rows,)`."""
        return np.arange(self._starts[source], self._starts[source + 1])

    def split(self, rows: np.ndarray) -> list[tuple[Path, np.ndarray]]:
        """Returns the sources of ascending rows, and which of their rows those are."""
        ends = np.searchsorted(rows, self._starts)
        parts = zip(self.sources, self._starts, ends, ends[1:], strict=False)
        return [(source, rows[a:b] - start) for source, start, a, b in parts if b > a]

    def adapt(self, branches: Sequence[Branch], rows: np.ndarray) -> None:
        """Lets encoders learn what preprocessing needs from some rows."""
        for branch in branches:
            if branch.encoder.adapts:
                branch.encoder.adapt(self.raw_values(branch, rows))

    def raw_values(self, branch: Branch, rows: np.ndarray) -> np.ndarray:
        """Returns the raw values of the input of a branch that adapts, `(rows,)`.

        They are read once for all fits, and stay in memory.
        """
        name = branch.input.name
        if name not in self._values:
            parts = [
                batch[name]
                for source in self._filled
                for batch in raw_dataset(source, [name]).as_numpy_iterator()
            ]
            self._values[name] = np.concatenate(parts)
        return self._values[name][rows]

    def arrays(
        self, branches: Sequence[Branch], encoders: dict[str, keras.Model]
    ) -> dict[str, StackedRows]:
        """Returns what the first stage of training reads, of all rows.

        Args:
            branches: The encoders, adapted.
            encoders: Their Keras halves.

        Returns:
            Of pretrained branches the embedding by branch name, of the others
            their preprocessed tensors, and presences.
        """
        tensors: dict[str, StackedRows] = {}
        for branch in branches:
            folder = self._branch_folder(branch, encoders[branch.name])
            parts: dict[str, list[np.ndarray]] = {}
            for source in self._filled:
                part = folder / content_name(source, branch.input.name)
                if not has_arrays(part):
                    self._write_missing(branch, encoders[branch.name], folder)
                for name, values in open_arrays(part).items():
                    parts.setdefault(name, []).append(values)
            tensors.update({name: StackedRows(values) for name, values in parts.items()})
        return tensors

    def _branch_folder(self, branch: Branch, encoder: keras.Model) -> Path:
        described = {
            "versions": [_FEATURES_VERSION, keras.__version__, version("keras-hub")],
            "encoder": branch.encoder_name,
            # Of random weights, of a file that was replaced, of directions found on another
            # machine: only the weights themselves tell.
            "weights": self._digest(encoder) if branch.encoder.pretrained else "",
            "precision": encoder.dtype_policy.name,
            "options": dict(branch.options),
            "input": [branch.input.kind, *branch.input.columns],
            "state": branch.encoder.get_state() if branch.encoder.adapts else "",
        }
        text = json.dumps(described, sort_keys=True, default=str)
        key = hashlib.sha256(text.encode()).hexdigest()[:16]
        return self.folder / f"{branch.name}-{key}"

    def _write_missing(self, branch: Branch, encoder: keras.Model, folder: Path) -> None:
        named = {content_name(source, branch.input.name): source for source in self._filled}
        missing = {name: of for name, of in named.items() if not has_arrays(folder / name)}
        learns = branch.encoder.method.trains or branch.encoder.adapts
        if self.elsewhere and branch.encoder.pretrained and not learns:
            for name, source in missing.items():
                batches = self.elsewhere(branch, self._digest(encoder), source)
                write_arrays(folder / name, batches, count_records(source))
            return
        known = self._traced.get(branch.name)
        if known is None or known[0] is not encoder:
            known = self._traced[branch.name] = (encoder, *trace(branch, encoder))
        total = sum(map(count_records, missing.values()))
        with progress_bar(f"{branch.name} embeddings", total) as bar:
            for name, source in missing.items():
                batches = embed_records(source, branch, *known[1:], bar)
                write_arrays(folder / name, batches, count_records(source))

    def _digest(self, encoder: keras.Model) -> str:
        if encoder in self._digests:
            return self._digests[encoder]
        digest = digest_weights(encoder)
        if not encoder.trainable_weights:  # cannot change any more
            self._digests[encoder] = digest
        return digest


def trace(branch: Branch, encoder: keras.Model) -> tuple[Graph, Graph]:
    """Returns preprocessing and encoder, traced once for all sources and batch sizes."""
    signature = {
        name: tf.TensorSpec([None, *spec.shape], spec.dtype)
        for name, spec in branch.encoder.input_specs().items()
    }
    prepare = tf.function(
        lambda raw: preprocess([branch], raw), input_signature=[raw_specs([branch.input])]
    )
    embed = tf.function(
        lambda tensors: tf.cast(encoder(tensors, training=False), tf.float32),
        input_signature=[signature],
    )
    return prepare, embed


def embed_records(
    source: Path,
    branch: Branch,
    prepare: Graph,
    embed: Graph,
    bar: Any = None,
    shard: int | None = None,
) -> Batches:
    """Yields what a branch makes of records, in batches of rows.

    Args:
        source: Folder of records of raw values.
        branch: Adapted.
        prepare: With `embed`, what `trace` returns.
        embed: See there.
        bar: Progress, of rows.
        shard: int. Which file of the records; all by default.
    """
    key = present_name(branch.input.name)
    data = raw_dataset(source, [branch.input.name], shard=shard)
    data = data.map(prepare, num_parallel_calls=tf.data.AUTOTUNE).prefetch(tf.data.AUTOTUNE)
    for tensors in data:
        present = tensors.pop(key)
        batch = {key: present.numpy()}
        if branch.encoder.pretrained:
            batch[branch.name] = embed(tensors).numpy()
        else:
            batch.update({name: tensor.numpy() for name, tensor in tensors.items()})
        if bar is not None:
            bar.update(len(present))
        yield batch

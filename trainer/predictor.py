"""Answers for a table, from an exported model and nothing else."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from trainer.answering import (
    Row,
    Scored,
    TableAnswers,
    answer_table,
    check_columns,
    missing_columns,
)
from trainer.answers import OK, Answers
from trainer.artefact import ModelCard, find_export
from trainer.data.examples import read_examples, row_ids
from trainer.data.rules import NO_CLASS_LEFT, NOTHING
from trainer.data.seen_rows import was_trained_on
from trainer.data.table import Table
from trainer.explained_product import Explanation, read_explanation
from trainer.progress import progress_bar
from trainer.registry import MODALITIES

_EXPLAINED_AT_ONCE = 8


class Predictor:
    """Asks an exported model, as TF Serving would.

    Args:
        path: A workdir, a folder of versions, or a version.

    Raises:
        FileNotFoundError: if there is no exported model.
    """

    def __init__(self, path: str | Path) -> None:
        self.folder = find_export(Path(path))
        self.card = ModelCard.load(self.folder)
        self._loaded: Any = None

    def answer(self, table: Table, batch_size: int = 32, title: str = "Answering") -> Answers:
        """Answers every row of a table, in order.

        Args:
            table: May lack columns that the model knows; not all of them.
            batch_size: int.
            title: Of the progress bar; empty for none.

        Raises:
            ValueError: if the table has none of the model's columns.
        """
        return self._ask(table, batch_size, "serving_default", title=title).answers

    def embed(self, table: Table, batch_size: int = 32) -> tuple[Answers, np.ndarray]:
        """Returns the answers and the fused embeddings `(rows, dim)`, scaled to length 1.

        Raises:
            ValueError: as `answer`, or if the model was exported by a version
                that gave it no signature `features`.
        """
        embeddings: list[np.ndarray] = []
        answers = self._ask(table, batch_size, "features", embeddings).answers
        return answers, _unit(np.concatenate(embeddings or [np.zeros((0, 1), np.float32)]))

    def was_trained_on(self, table: Table) -> np.ndarray:
        """Says which rows of a table the model has learned from, bool `(rows,)`."""
        return was_trained_on(self.folder, table, self.card.inputs)

    def missing_columns(self, table: Table) -> list[str]:
        """Returns the columns that the model reads and the table lacks."""
        return missing_columns(self.card, table)

    def explain(self, table: Table, ids: Sequence[str]) -> Iterator[Explanation]:
        """Says of some rows of a table what spoke for their labels, in the order of the ids.

        Args:
            table: May lack columns that the model knows; not all of them.
            ids: As `row_ids` gives them; of a double one all rows are told of.

        Raises:
            ValueError: as `answer`, for an id that no row has, or if the model was
                exported by a version that gave it no signature `explain`.
        """
        check_columns(self.card, table)
        known = row_ids(table)
        if unknown := sorted(set(ids) - set(known)):
            raise ValueError(
                f"No row of the table has the id {', '.join(map(repr, unknown))}. The first of "
                f"{len(known)} ids are {', '.join(map(repr, known[:3]))}: those of the column "
                "'id', or row numbers from 0 where there is none."
            )
        rows = [row for name in dict.fromkeys(ids) for row, of in enumerate(known) if of == name]
        part = Table(table.frame.iloc[rows], table.folder)
        examples = iter(read_examples(part, self.card.inputs, [known[row] for row in rows]))
        with progress_bar("Explaining", len(rows)) as bar:
            while batch := list(islice(examples, min(_EXPLAINED_AT_ONCE, self.card.max_batch))):
                called = self.call([of.values for of in batch], "explain")
                outputs = {name: of.numpy() for name, of in called.items()}
                for row, example in enumerate(batch):
                    own = {name: values[row] for name, values in outputs.items()}
                    yield read_explanation(example, self.card.inputs, own)
                bar.update(len(batch))

    def _ask(
        self,
        table: Table,
        batch_size: int,
        signature: str,
        embeddings: list[np.ndarray] | None = None,
        title: str = "Answering",
    ) -> TableAnswers:
        scorer = _SignatureScorer(self, signature, embeddings)
        return answer_table(scorer, table, min(batch_size, self.card.max_batch), title)

    def call(self, rows: Sequence[Row], signature: str) -> dict[str, Any]:
        """Returns the outputs, `status` among them."""
        # Seconds and gigabytes: not before the table has turned out to be one for this model.
        import tensorflow as tf
        import tensorflow_text  # noqa: F401  registers the tokenizer's operations

        if self._loaded is None:
            self._loaded = tf.saved_model.load(str(self.folder))
        if signature not in self._loaded.signatures:
            raise ValueError(
                f"The model in {self.folder} has no signature {signature!r}: it was exported by "
                "an older version. Export it again from the workdir that it was trained in, with "
                "`taxofuse export --model WORKDIR --out DIR`, and give that folder."
            )
        raw = {
            spec.name: tf.constant(
                [row[spec.name] for row in rows], MODALITIES.get(spec.kind).dtype
            )
            for spec in self.card.inputs
        }
        outputs = self._loaded.signatures[signature](**raw)
        # Models that were exported by an older version say nothing of their rows.
        return outputs if "status" in outputs else {**outputs, "status": self._find_status(raw)}

    def _find_status(self, raw: dict[str, Any]) -> Any:
        import tensorflow as tf

        from trainer.layers.rule_ops import find_excluded

        present = [MODALITIES.get(of.kind)().present(raw[of.name]) for of in self.card.inputs]
        excluded = find_excluded(self.card.rules, self.card.class_names, raw)
        status = tf.where(tf.reduce_all(excluded, axis=1), NO_CLASS_LEFT, OK)
        return tf.where(tf.reduce_any(tf.stack(present), axis=0), status, NOTHING)


class _SignatureScorer:
    """Scores by one signature, one batch after the other; keeps embeddings where there are any."""

    def __init__(
        self, predictor: Predictor, signature: str, embeddings: list[np.ndarray] | None
    ) -> None:
        self.card = predictor.card
        self._predictor = predictor
        self._signature = signature
        self._embeddings = embeddings

    def score(self, batches: Iterable[Sequence[Row]]) -> Iterator[Sequence[Scored]]:
        for rows in batches:
            outputs = self._predictor.call(rows, self._signature)
            if self._embeddings is not None:
                self._embeddings.append(outputs["embedding"].numpy())
            status = [state.decode() for state in outputs["status"].numpy()]
            yield list(zip(outputs["scores"].numpy(), status, strict=True))


def _unit(rows: np.ndarray) -> np.ndarray:
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    return rows / np.maximum(lengths, 1e-9)

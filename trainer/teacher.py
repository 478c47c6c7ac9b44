"""A finished run whose answers another one learns from."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from scipy.special import softmax

from trainer.artefact import MODEL_FILE, PREPROCESSING_FILE, ModelCard, find_export
from trainer.embed import FeatureStore
from trainer.files import file_state, new_file
from trainer.inputs import InputSpec
from trainer.progress import progress_bar


def load_teacher(
    workdir: Path, inputs: Sequence[InputSpec], class_names: Sequence[str]
) -> ModelCard:
    """Reads what a teacher says of itself.

    Args:
        workdir: Of `taxofuse run` or `taxofuse train`.
        inputs: Those of the pupil; the teacher may read fewer.
        class_names: Those of the pupil.

    Raises:
        FileNotFoundError: if the workdir has no network.
        ValueError: if it answers other classes, or reads what the pupil does not.
    """
    if not (workdir / MODEL_FILE).is_file():
        raise FileNotFoundError(
            f"No {MODEL_FILE} in {workdir.absolute()}. train.teacher must be the workdir of a "
            "finished `taxofuse run` or `taxofuse train`."
        )
    card = ModelCard.load(find_export(workdir))
    if list(card.class_names) != list(class_names):
        own, theirs = set(class_names), set(card.class_names)
        raise ValueError(
            "A teacher must answer the same classes. Only in this run: "
            f"{sorted(own - theirs)[:5]}; only of the teacher: {sorted(theirs - own)[:5]}. "
            f"Received: train.teacher={workdir}."
        )
    known = [(spec.name, spec.kind, spec.columns) for spec in inputs]
    others = [of for of in card.inputs if (of.name, of.kind, of.columns) not in known]
    if others:
        raise ValueError(
            f"A teacher must read what this run reads. Expected some of {known}. Received: "
            f"{[(of.name, of.kind, of.columns) for of in others]} of train.teacher={workdir}."
        )
    return card


def refuse_teacher(teacher: str) -> None:
    """Refuses a teacher where networks are judged on rows in turns, all of which it may know.

    Raises:
        ValueError: if there is one.
    """
    if teacher:
        raise ValueError(
            "A teacher has seen the rows that this cross-validates, and would give their labels "
            f"away. Leave out train.teacher. Received: train.teacher={teacher}."
        )


def teacher_state(workdir: Path) -> dict[str, str]:
    """Returns the state of the files that the answers come from, by path."""
    files = [workdir / MODEL_FILE, workdir / PREPROCESSING_FILE]
    return {str(file): file_state(file) for file in files}


def ask_teacher(workdir: Path, card: ModelCard, store: FeatureStore, folder: Path) -> np.ndarray:
    """Answers all rows of a store, once.

    Args:
        workdir: Of the teacher.
        card: What `load_teacher` returned.
        store: Products, names of classes, rows without a label, views.
        folder: For the answers.

    Returns:
        Float array `(rows, num_classes)`, logits.
    """
    described = [teacher_state(workdir), [source.name for source in store.sources]]
    key = hashlib.sha256(json.dumps(described).encode()).hexdigest()[:16]
    path = folder / f"teacher-{key}.npy"
    if not path.is_file():
        logits = _answer(workdir, card, store)
        with new_file(path) as temporary:
            np.save(temporary, logits)
    return np.load(path)


def soften(logits: np.ndarray, temperature: float) -> np.ndarray:
    """Turns logits `(n, num_classes)` into soft targets of the same shape.

    Reference:
        Hinton et al., 2015, arXiv:1503.02531.
    """
    return softmax(logits / temperature, axis=1).astype(np.float32)


def _answer(workdir: Path, card: ModelCard, store: FeatureStore) -> np.ndarray:
    import tensorflow as tf

    from trainer.device_graph import with_logits
    from trainer.input_pipeline import product_dataset
    from trainer.saved_network import load_branches, load_network

    scorer, state = load_network(workdir)
    branches = load_branches(state, card.inputs)
    network = with_logits(scorer)
    run = tf.function(lambda tensors: network(tensors, training=False), reduce_retracing=True)
    parts = []
    with progress_bar("The teacher answers", store.num_rows) as bar:
        for source, rows in store.split(np.arange(store.num_rows)):
            for tensors in product_dataset(source, branches, rows=rows):
                parts.append(run(tensors)["logits"].numpy())
                bar.update(len(parts[-1]))
    return np.concatenate(parts)

"""All classes that there are, with rows or without, and what is known of them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from trainer.data.json_checks import check_object, expect, read_list, read_text, read_texts
from trainer.data.labels import join_label, split_label
from trainer.data.rules import Rule, read_rules, suggest
from trainer.inputs import InputSpec


@dataclass(frozen=True)
class Taxonomy:
    """Classes, words for them, and rules on their products.

    Args:
        texts: Class to the texts that describe its products, its name first;
            sorted by class.
        rules: What excludes classes.
    """

    texts: Mapping[str, tuple[str, ...]]
    rules: tuple[Rule, ...] = ()

    @classmethod
    def of_labels(cls, labels: Iterable[str]) -> Taxonomy:
        """Returns the taxonomy of a table's labels, of which nothing but the names is known."""
        return cls({label: (_words(label),) for label in sorted(set(labels))})


def read_taxonomy(path: str | Path, inputs: Sequence[InputSpec], num_levels: int) -> Taxonomy:
    """Reads and checks a taxonomy file.

    Args:
        path: JSON object with `classes`, a list of objects with `class`, its
            path with levels joined by `" > "`, and if wanted `synonyms`, a list
            of texts, and `description`, a text; and with `rules` if wanted, a
            list of what `read_rules` reads.
        inputs: Inputs of the model.
        num_levels: Of each path; 0 where they differ, 1 where labels are no paths.

    Raises:
        FileNotFoundError: naming the file.
        ValueError: naming what in the file does not fit.
    """
    if not Path(path).is_file():
        raise FileNotFoundError(f"data.taxonomy: no such file: {path}")
    try:
        file = json.loads(Path(path).read_text(encoding="utf-8"))
        check_object(file, "the file", ("classes", "rules"))
        texts: dict[str, tuple[str, ...]] = {}
        for values in read_list(file, "classes", "the file"):
            label, described = _read_class(values, num_levels)
            expect(label not in texts, "a class", "there once", label)
            texts[label] = described
        paths = [split_label(label) for label in texts]
        nodes = {join_label(path[:depth]) for path in paths for depth in range(1, len(path) + 1)}
        rules = [
            rule
            for values in read_list(file, "rules", "the file")
            for rule in read_rules(values, nodes, inputs)
        ]
    except ValueError as error:  # the decoders' too
        raise ValueError(f"data.taxonomy, {path}: {error}") from error
    return Taxonomy(dict(sorted(texts.items())), tuple(rules))


def check_labels(taxonomy: Taxonomy, ids: Sequence[str], labels: Sequence[str]) -> None:
    """Raises ValueError where the label of a row is no class of the taxonomy."""
    rows = [row for row, label in enumerate(labels) if label not in taxonomy.texts]
    if rows:
        label = labels[rows[0]]
        raise ValueError(
            f"data.taxonomy must have the labels of all rows. {len(rows)} rows have others, first "
            f"that with id {ids[rows[0]]!r}: {label!r}.{suggest(label, taxonomy.texts)} Add the "
            "class to the file, mend the label, or empty it to leave the row out."
        )


def _read_class(values: Any, num_levels: int) -> tuple[str, tuple[str, ...]]:
    check_object(values, "a class", ("class", "synonyms", "description"))
    label = read_text(values, "class", "a class")
    path = (label,) if num_levels == 1 else split_label(label)
    rule = f"a path of {num_levels or 'named'} levels joined by ' > '"
    fits = all(map(str.strip, path)) and len(path) == (num_levels or len(path))
    expect(fits, "`class` of a class", rule, label)
    synonyms = read_texts(values, "synonyms", repr(label))
    description = read_text(values, "description", repr(label), default="")
    return label, (_words(label), *synonyms, *([description] if description else []))


def _words(label: str) -> str:
    return " ".join(split_label(label))

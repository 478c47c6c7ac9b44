"""The rows of a run as records: written once, known by their positions in one store."""

from __future__ import annotations

import hashlib
import itertools
import json
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from trainer.augment import write_views
from trainer.catalogue import Catalogue
from trainer.config import AugmentConfig
from trainer.embed import FeatureStore
from trainer.input_pipeline import PROBLEMS_FILE, raw_dataset, write_examples, write_texts
from trainer.layers.rule_ops import find_excluded
from trainer.sample import Sample


@dataclass(frozen=True)
class WrittenRows:
    """What there is to learn from and to answer: products, names of classes, rows without a label.

    Args:
        catalogue: Where they come from.
        store: Of their features: products, names, rows without a label, and
            then a source for each view of the products.
        num_views: Views of the products.
        problems: What is broken in a product, by its position.
        unlabeled_problems: The same of rows without a label, by row.
    """

    catalogue: Catalogue
    store: FeatureStore
    num_views: int
    problems: dict[int, str]
    unlabeled_problems: dict[int, str]

    @property
    def names(self) -> Sample:
        """The texts of the classes; those of a class together count as one product."""
        texts = self.catalogue.taxonomy.texts.values()
        counts = np.array([len(of_class) for of_class in texts])
        class_ids = np.repeat(np.arange(len(counts)), counts)
        return Sample.of(self.store.positions(1), class_ids, np.repeat(1 / counts, counts))

    @property
    def unlabeled(self) -> np.ndarray:
        """Positions of the rows without a label."""
        return self.store.positions(2)

    @property
    def views(self) -> list[np.ndarray]:
        """Of each view the positions of the products in it."""
        return [self.store.positions(source) for source in self._view_sources]

    @property
    def view_folders(self) -> list[Path]:
        """Records of each view."""
        return [self.store.sources[source] for source in self._view_sources]

    @property
    def _view_sources(self) -> range:
        return range(3, 3 + self.num_views)

    def auxiliary_labels(self) -> dict[str, np.ndarray]:
        """Returns the labels of objectives by position; views have those of their rows."""
        labels = {}
        for name, cells in self.catalogue.auxiliary.items():
            labels[name] = np.full(self.store.num_rows, "", cells.dtype)
            for positions in (self.store.positions(0), *self.views):
                labels[name][positions] = cells
        return labels

    def find_excluded(self, rows: np.ndarray, names: Collection[str]) -> np.ndarray:
        """Says which classes the rules on some inputs exclude, `(rows, num_classes)`."""
        class_names = self.catalogue.class_names
        excluded = [np.zeros((0, len(class_names)), bool)]
        rules = [rule for rule in self.catalogue.taxonomy.rules if rule.input in names]
        if not rules:
            return np.zeros((len(rows), len(class_names)), bool)
        asked = sorted({rule.input for rule in rules})
        for source, own in self.store.split(rows):
            for raw in raw_dataset(source, asked, rows=own):
                excluded.append(find_excluded(rules, class_names, raw).numpy())
        return np.concatenate(excluded)


def write_rows(catalogue: Catalogue, augment: AugmentConfig, cache: Path) -> WrittenRows:
    """Writes the rows of a run and their views, where they are not yet.

    Args:
        catalogue: Products, taxonomy, rows without a label.
        augment: Which views are made of the products.
        cache: Of the new folders.
    """
    examples, unlabeled = (
        cache / f"examples-{catalogue.content_fingerprint(table)}"
        for table in (catalogue.table, catalogue.unlabeled)
    )
    texts = catalogue.taxonomy.texts.values()
    described = repr([*texts, catalogue.inputs])
    names = cache / f"names-{hashlib.sha256(described.encode()).hexdigest()[:16]}"
    if not examples.is_dir():
        write_examples(catalogue.table, catalogue.inputs, examples)
    if not unlabeled.is_dir():
        write_examples(catalogue.unlabeled, catalogue.inputs, unlabeled)
    if not names.is_dir():
        write_texts(list(itertools.chain(*texts)), catalogue.inputs, names)
    views = write_views(examples, catalogue.inputs, augment, cache)
    return WrittenRows(
        catalogue,
        FeatureStore(cache / "features", [examples, names, unlabeled, *views]),
        len(views),
        _read_problems(examples),
        _read_problems(unlabeled),
    )


def _read_problems(records: Path) -> dict[int, str]:
    problems = json.loads((records / PROBLEMS_FILE).read_text())
    return {int(row): problem for row, problem in problems.items()}

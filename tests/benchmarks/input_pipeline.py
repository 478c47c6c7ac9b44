"""Products per second and core that reach the network, on the fly and from cached records.

    python tests/benchmarks/input_pipeline.py [--data TABLE] [--out FILE.json]

Cached rows are shuffled and batched as in training. Time is CPU time of the whole
process, and tf.data computes in one thread, so that a busy machine changes the
figures less; ways are measured in turns, and medians count. Exit status 1: a
bar was missed.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import tensorflow as tf
from table import print_table, write_figures

from trainer.catalogue import load_catalogue
from trainer.config import DataConfig, load_config
from trainer.demo_catalogue.catalogue import write_demo_catalogue
from trainer.embed import FeatureStore
from trainer.input_pipeline import (
    prepared_dataset,
    product_dataset,
    write_examples,
    write_prepared,
)
from trainer.overrides import apply_overrides
from trainer.preprocessing import Branch, build_branches
from trainer.sample import Sample

ON_THE_FLY_BAR = 850
CACHED_BAR = 4500
# Preprocessing needs no weights, only the word pieces, which come with the random ones.
_WEIGHTS = (
    "model.encoders.image.resnet50.weights=random",
    "model.encoders.text.bert.weights=random",
)


@dataclass(frozen=True)
class Way:
    """A way from records to batches.

    Args:
        name: str. For the table.
        batches: Batches of tensors by name, without end.
        bar: Products per second and core that are wanted, or `None`.
    """

    name: str
    batches: Iterator[dict[str, tf.Tensor]]
    bar: int | None = None

    def measure(self, seconds: float) -> float:
        """Returns products per second of CPU time."""
        products, began = 0, time.process_time()
        while (spent := time.process_time() - began) < seconds:
            products += len(next(iter(next(self.batches).values())))
        return products / spent


def main() -> int:
    """Measures, prints a table, and writes JSON where asked to."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--data", type=Path, metavar="TABLE", help="default: the demo catalogue")
    parser.add_argument("--label", default="category", metavar="COL")
    parser.add_argument("--seconds", type=float, default=1.0, help="CPU time of one measurement")
    parser.add_argument("--repeats", type=int, default=9)
    parser.add_argument("--out", type=Path, metavar="FILE.json")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="taxofuse-benchmark-") as folder:
        table = args.data or write_demo_catalogue(Path(folder) / "demo", num_products=600)
        ways = build_ways(table, args.label, Path(folder))
        rates: dict[str, list[float]] = {way.name: [] for way in ways}
        for way in ways:  # fills buffers and settles the clock of the processor
            way.measure(args.seconds / 4)
        for _ in range(args.repeats):
            for way in ways:
                rates[way.name].append(way.measure(args.seconds))
    medians = {name: statistics.median(found) for name, found in rates.items()}
    missed = [way.name for way in ways if way.bar and medians[way.name] < way.bar]
    print_table(
        ["products per second and core", "median", "lowest", "highest", "at least"],
        [
            [
                way.name,
                f"{medians[way.name]:.0f}",
                f"{min(rates[way.name]):.0f}",
                f"{max(rates[way.name]):.0f}",
                str(way.bar or ""),
            ]
            for way in ways
        ],
    )
    source = args.data.name if args.data else "demo catalogue"
    write_figures(args.out, {"data": source, "medians": medians, "rates": rates, "missed": missed})
    return 1 if missed else 0


def build_ways(table: Path, label: str, folder: Path) -> list[Way]:
    """Writes raw and prepared records of a table's training rows, and opens them."""
    catalogue = load_catalogue(table, DataConfig(label=(label,)), say=lambda line: None)
    examples = folder / "examples"
    write_examples(catalogue.table, catalogue.inputs, examples)
    inputs = [spec for spec in catalogue.inputs if spec.kind in ("image", "text")]
    config = apply_overrides(load_config("bert_resnet50"), _WEIGHTS)
    branches = build_branches(inputs, config.model.encoders)
    sample = Sample.of(np.arange(len(catalogue.ids)), catalogue.class_ids)
    FeatureStore(folder / "features", [examples]).adapt(branches, sample.rows)
    batch_size = config.train.batch_size

    def on_the_fly(*encoders: str) -> Iterator:
        chosen = _choose(branches, encoders)
        return _endless(product_dataset(examples, chosen))

    def cached(*encoders: str) -> Iterator:
        prepared = folder / "-".join(encoders)
        write_prepared([(examples, sample.rows)], sample, prepared, _choose(branches, encoders), {})
        return _endless(
            prepared_dataset(prepared, batch_size, shuffle_seed=0).map(lambda tensors, *_: tensors)
        )

    return [
        Way("on the fly: picture", on_the_fly("resnet50")),
        Way("on the fly: BERT tokens", on_the_fly("bert")),
        Way("on the fly: n-grams", on_the_fly("ngram")),
        Way("on the fly: picture + BERT", on_the_fly("resnet50", "bert"), ON_THE_FLY_BAR),
        Way("on the fly: picture + BERT + n-grams", on_the_fly("resnet50", "bert", "ngram")),
        Way("cached: picture + BERT", cached("resnet50", "bert"), CACHED_BAR),
        Way("cached: picture + BERT + n-grams", cached("resnet50", "bert", "ngram")),
    ]


def _choose(branches: tuple[Branch, ...], encoders: tuple[str, ...]) -> list[Branch]:
    return [branch for branch in branches if branch.encoder_name in encoders]


def _endless(batches: tf.data.Dataset) -> Iterator:
    options = tf.data.Options()
    options.threading.private_threadpool_size = 1
    options.threading.max_intra_op_parallelism = 1
    return iter(batches.repeat().with_options(options))


if __name__ == "__main__":
    sys.exit(main())

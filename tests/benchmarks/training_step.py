"""CPU time of a training step: plain or adversarial, all of the network or less of it.

    python tests/benchmarks/training_step.py [--size small] [--out FILE.json]

`flagship` is BERT-base on 128 tokens and ResNet50 on 224 pixels, drawn at random;
`small` is MiniLM and EfficientNet-Lite0 from their packages. Steps are measured in
turns, inside `fit`; medians count. `full` trains all of the network, `frozen` only
what is not pretrained, `reused` the same on embeddings that were computed before;
`fgsm` and `freelb` (3 runs) are `full` with an adversarial regularizer on pixels and
tokens. The flagship takes 7 GB and some minutes. Exit status 1: a bar was missed.
"""

from __future__ import annotations

import argparse
import resource
import statistics
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf
from table import print_table, write_figures

from trainer.config import Config, load_config
from trainer.features import StackedRows, array_batches
from trainer.inputs import InputSpec
from trainer.metrics.pooled_accuracy import PooledAccuracy
from trainer.model import build_voter, build_votes
from trainer.overrides import apply_overrides
from trainer.preprocessing import build_branches, preprocess
from trainer.registry import REGULARIZERS
from trainer.regularized_model import RegularizedModel, find_points
from trainer.sample import Sample
from trainer.stage import build_loss

# CPU time in units of a step of `full`.
BARS = {"reused": 1 / 35, "fgsm": 2.0, "freelb": 4.5}
_SIZES = {
    "flagship": ("bert_resnet50", {"image.resnet50": "random", "text.bert": "random"}),
    "small": ("default", {"image.image_backbone": None, "text.bert": None}),
}
_INPUTS = (
    InputSpec("image_bytes", "image", ("image",)),
    InputSpec("text", "text", ("title", "description")),
)
_NUM_CLASSES = 20
# A step on features takes milliseconds: so many make one measurement.
_REUSED_STEPS = 200


@dataclass(frozen=True)
class Way:
    """A way of training, ready to take steps."""

    name: str
    model: keras.Model
    batches: tf.data.Dataset
    steps: int

    def measure(self) -> float:
        """Returns seconds of CPU time a step."""
        began = time.process_time()
        self.model.fit(self.batches, steps_per_epoch=self.steps, verbose=0)
        return (time.process_time() - began) / self.steps


def main() -> int:
    """Measures, prints a table, and writes JSON where asked to."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--size", choices=sorted(_SIZES), default="flagship")
    parser.add_argument("--batch-size", type=int, default=8)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--out", type=Path, metavar="FILE.json")
    args = parser.parse_args()
    ways = build_ways(args.size, args.batch_size)
    seconds: dict[str, list[float]] = {way.name: [] for way in ways}
    for way in ways:  # traces the graphs
        way.measure()
    for _ in range(args.repeats):
        for way in ways:
            seconds[way.name].append(way.measure())
    medians = {name: statistics.median(found) for name, found in seconds.items()}
    ratios = {name: median / medians["full"] for name, median in medians.items()}
    print_table(
        [f"{args.size}, batches of {args.batch_size}", "CPU ms a step", "of full", "at most"],
        [
            [
                name,
                f"{1000 * median:.1f}",
                f"{ratios[name]:.4g}",
                f"{BARS[name]:.4g}" if name in BARS else "",
            ]
            for name, median in medians.items()
        ],
    )
    figures = {
        "size": args.size,
        "batch_size": args.batch_size,
        "median_seconds": medians,
        "seconds": seconds,
        "share_of_full": ratios,
        "peak_gigabytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20,
    }
    write_figures(args.out, figures)
    return 1 if any(ratios[name] > bar for name, bar in BARS.items()) else 0


def build_ways(size: str, batch_size: int) -> list[Way]:
    """Builds networks and made-up products."""
    name, weights = _SIZES[size]
    ways = []
    for tuning in ("full", "frozen"):
        settings = [f"model.encoders.{key}.tuning={tuning}" for key in weights]
        settings += [
            f"model.encoders.{key}.weights={value}" for key, value in weights.items() if value
        ]
        config = apply_overrides(load_config(name), settings)
        # Encoders that first learn a vocabulary are left out: they cost little either way.
        branches = [
            branch
            for branch in build_branches(_INPUTS, config.model.encoders)
            if not branch.encoder.adapts
        ]
        encoders = {branch.name: branch.encoder.build() for branch in branches}
        widths = {name: encoder.output.shape[-1] for name, encoder in encoders.items()}
        votes = build_votes(branches, widths, _NUM_CLASSES, config.model, l2=config.train.l2)
        tensors = preprocess(branches, _draw_products(batch_size))
        model = build_voter(encoders, votes)
        ways.append(_make_way(tuning, model, tensors, config))
        for regularizer in ("fgsm", "freelb") if tuning == "full" else ():
            regularized = RegularizedModel(model.input, model.output)
            points = find_points(branches, encoders, encoders)
            member = REGULARIZERS.make(regularizer, {})
            regularized.regularize(member, points, build_loss(config.train))
            ways.append(_make_way(regularizer, regularized, tensors, config))
    embeddings = {name: encoder(_choose(tensors, encoder)) for name, encoder in encoders.items()}
    model = build_voter({}, votes)
    ways.append(_make_way("reused", model, {**tensors, **embeddings}, config, _REUSED_STEPS))
    return ways


def _make_way(
    name: str,
    model: keras.Model,
    tensors: Mapping[str, tf.Tensor],
    config: Config,
    steps: int = 1,
) -> Way:
    # As `trainer.stage` compiles it.
    model.compile(
        optimizer=keras.optimizers.AdamW(1e-5, config.train.weight_decay, clipnorm=1.0),
        loss=build_loss(config.train),
        metrics=[PooledAccuracy()],
        weighted_metrics=[],
        jit_compile=False,
        steps_per_execution=min(steps, 20),
    )
    arrays = {
        key: np.concatenate([tensor.numpy()] * steps)
        for key, tensor in _choose(tensors, model).items()
    }
    rows = len(next(iter(arrays.values())))
    sample = Sample.of(np.arange(rows), np.arange(rows) % _NUM_CLASSES)
    stacked = {key: StackedRows([values]) for key, values in arrays.items()}
    batches = array_batches(stacked, sample, rows // steps, seed=0)
    return Way(name, model, batches, steps)


def _choose(tensors: Mapping[str, tf.Tensor], model: keras.Model) -> dict[str, tf.Tensor]:
    return {name: tensors[name] for name in model.input}


def _draw_products(rows: int) -> dict[str, tf.Tensor]:
    """Draws raw values: noise for pictures, and enough words to fill all tokens."""
    rng = np.random.default_rng(0)
    words = np.array(["wireless", "cotton", "steel", "kitchen", "sensor", "blue", "pack", "42"])
    pictures = rng.integers(0, 256, (rows, 256, 256, 3), np.uint8)
    return {
        "image_bytes": tf.stack([tf.io.encode_jpeg(picture) for picture in pictures]),
        "text": tf.constant([" ".join(rng.choice(words, 200)) for _ in range(rows)]),
    }


if __name__ == "__main__":
    sys.exit(main())

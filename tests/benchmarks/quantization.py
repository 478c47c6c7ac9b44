"""Quantized networks against the float ones they are made of, cross-validated.

    python tests/benchmarks/quantization.py --data products.csv --label category

Each fold is answered by a network that has not seen it, and by the TFLite files
that are made of it: ranges, and what `qat_int8` learns, come from the four other
folds.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from cross_validation import build_parser, draw_folds, fit_fold, open_run
from cross_validation import shown_interval as shown

from trainer.certificate import DeviceNetwork
from trainer.device_graph import convert, with_logits
from trainer.files import write_json
from trainer.input_pipeline import product_dataset
from trainer.network import Network
from trainer.overrides import read_options
from trainer.quantized_training import train_quantized, write_lessons
from trainer.registry import QUANTIZERS
from trainer.run import Run
from trainer.saved_network import load_network, save_network

NUM_CALIBRATED = 128


def main(arguments: Sequence[str] | None = None) -> None:
    """Prints a line a fold and a table; writes JSON where asked."""
    parser = build_parser(__doc__)
    parser.add_argument("--quantizers", default="dynamic_range,full_integer,qat_int8")
    parser.add_argument("--quantizer-set", action="append", default=[])
    parser.add_argument("--folds", default="0,1,2,3,4")
    args = parser.parse_args(arguments)
    names = args.quantizers.split(",")
    options = read_options(args.quantizer_set, names)
    found: dict[str, list[np.ndarray]] = {name: [] for name in ["float", *names]}
    truths: list[np.ndarray] = []
    products: list[np.ndarray] = []
    sizes: dict[str, int] = {}
    with open_run(args) as run:
        for seed in map(int, args.seeds.split(",")):
            folds = draw_folds(run.catalogue.labels, seed)
            for fold in map(int, args.folds.split(",")):
                began = time.monotonic()
                network = fit_fold(run, folds, fold)
                held_out = np.flatnonzero(folds == fold)
                truth = run.catalogue.class_ids[held_out]
                answers = {"float": network.pool(run.vote(network, held_out)[0]).argmax(axis=1)}
                for name in names:
                    content = quantize(run, network, folds, fold, name, options[name])
                    sizes[name] = len(content)
                    answers[name] = answer(run, network, content, held_out)
                truths.append(truth)
                products.append(held_out)
                for name, of in answers.items():
                    found[name].append(of)
                told = ", ".join(
                    f"{name} {np.mean(of == truth):.4f} ({np.mean(of == answers['float']):.4f})"
                    for name, of in answers.items()
                )
                seconds = time.monotonic() - began
                print(f"seed {seed}, fold {fold}: {told}; {seconds:.0f} s", flush=True)
    report(args.out, products, truths, found, sizes)


def quantize(
    run: Run, network: Network, folds: np.ndarray, fold: int, name: str, options: dict[str, object]
) -> bytes:
    """Returns the TFLite file of a network that has learned from all folds but one."""
    learned = np.flatnonzero(folds != fold)
    seen = np.sort(np.random.default_rng(0).permutation(learned)[:NUM_CALIBRATED])
    quantizer = QUANTIZERS.make(name, options)
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        save_network(folder, network.scorer(), network.branches, run.card([]))
        device = with_logits(load_network(folder)[0])
        batches = read(run, network, seen, list(device.input)) if quantizer.calibrates else []
        quantizer.prepare(device, batches)
        if quantizer.epochs:
            sources = list(run.store.split(learned))
            write_lessons(network.scorer(), network.branches, sources, folder / "lessons")
            train = run.config.train
            train_quantized(device, quantizer, folder / "lessons", train, folder=folder / "stage")
        return convert(device, quantizer)


def read(
    run: Run, network: Network, rows: np.ndarray, names: Sequence[str]
) -> Iterator[dict[str, np.ndarray]]:
    """Yields batches of what a network reads of some rows."""
    for source, own in run.store.split(rows):
        for tensors in product_dataset(source, network.branches, rows=own).as_numpy_iterator():
            yield {name: tensors[name] for name in names}


def answer(run: Run, network: Network, content: bytes, rows: np.ndarray) -> np.ndarray:
    """Returns the class ids `(rows,)` that a TFLite file answers."""
    device = DeviceNetwork(content)
    return np.array(
        [
            device({name: of[at : at + 1] for name, of in batch.items()}).argmax()
            for batch in read(run, network, rows, list(network.scorer().input))
            for at in range(len(next(iter(batch.values()))))
        ]
    )


def report(
    out: Path | None,
    products: Sequence[np.ndarray],
    truths: Sequence[np.ndarray],
    found: dict[str, list[np.ndarray]],
    sizes: dict[str, int],
) -> None:
    """Prints a table of all folds together; writes it as JSON, too."""
    truth, product = np.concatenate(truths), np.concatenate(products)
    joined = {name: np.concatenate(of) for name, of in found.items()}
    rows = []
    previous = "float"
    print(
        f"\n{'':16}{'MB':>8}{'accuracy':>10}{'same':>8}  points against float, and the one before"
    )
    for name, of in joined.items():
        right = {other: joined[other] == truth for other in (name, "float", previous)}
        gained = find_gain(product, right[name], right["float"])
        on_previous = find_gain(product, right[name], right[previous])
        same = float(np.mean(of == joined["float"]))
        accuracy = float(np.mean(of == truth))
        size = sizes.get(name)
        megabytes = f"{size / 1e6:8.1f}" if size else f"{'':8}"
        told = f"{shown(gained)}, {shown(on_previous)}"
        print(f"{name:16}{megabytes}{accuracy:10.4f}{same:8.4f}  {told}")
        rows.append(
            {
                "name": name,
                "bytes": size,
                "accuracy": accuracy,
                "same": same,
                "gained": gained,
                "gained_on_previous": on_previous,
            }
        )
        previous = name
    if out is not None:
        write_json(out, {"num_answers": len(truth), "quantizers": rows})


def find_gain(
    products: np.ndarray, ours: np.ndarray, theirs: np.ndarray, resamples: int = 2000
) -> tuple[float, float, float]:
    """Returns how much more often we are right, and its 95 % interval over drawn products.

    Args:
        products: Of which product each answer is.
        ours: Whether it is right.
        theirs: The same.
        resamples: int.
    """
    ahead = np.bincount(products, ours.astype(float) - theirs)
    number = np.bincount(products)
    rng = np.random.default_rng(0)
    drawn = [rng.choice(len(number), len(number)) for _ in range(resamples)]
    low, high = np.percentile([ahead[of].sum() / number[of].sum() for of in drawn], [2.5, 97.5])
    return float(ahead.sum() / number.sum()), float(low), float(high)


if __name__ == "__main__":
    main()

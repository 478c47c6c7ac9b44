"""Which blocks stay in float, so that a file is small and answers rightly."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np

from trainer.device_graph import convert
from trainer.layers.quantized.grouping import Block
from trainer.progress import progress_bar
from trainer.quantization.quantizer import Quantizer
from trainer.sensitivity import FLOAT_BYTES, INTEGER_BYTES, Cost, Probe

_UNITS = {"": 1, "KB": 10**3, "MB": 10**6, "GB": 10**9}


@dataclass(frozen=True)
class Budget:
    """What mixed precision must keep to.

    Args:
        max_loss: Largest share of accuracy to lose, or of answers to change
            where no labels are known; `None` for any.
        max_size: Of the file, as `"60000000"`, `"60MB"`, or `"40%"` of the
            weights in float; empty for any.
    """

    max_loss: float | None = None
    max_size: str = ""

    def __post_init__(self) -> None:
        if self.max_loss is not None and not 0 <= self.max_loss <= 1:
            raise ValueError(f"`max_loss` must be from 0 to 1. Received: max_loss={self.max_loss}.")
        self.find_bytes(0)

    def find_bytes(self, float_bytes: int) -> int | None:
        """Returns how large the file may be.

        Args:
            float_bytes: int. Of the weights in float.
        """
        if not self.max_size:
            return None
        parts = re.fullmatch(r"(\d+(?:\.\d+)?) *(%|[KMG]?B?)", self.max_size.strip(), re.I)
        if parts is None:
            raise ValueError(
                "`max_size` must be a number of bytes, or one with KB, MB, GB or %. "
                f"Received: max_size={self.max_size!r}."
            )
        number, unit = float(parts[1]), parts[2].upper()
        if unit == "%":
            return int(number / 100 * float_bytes)
        return int(number * _UNITS["" if unit == "B" else unit[:1] + "B" * bool(unit)])


def find_precision(
    network: keras.Model,
    batches: Sequence[Mapping[str, Any]],
    class_ids: np.ndarray,
    quantizer: Quantizer,
    budget: Budget,
    keep_float: str = "",
) -> dict[str, Any]:
    """Measures what each block costs, and chooses which stay in float.

    Args:
        network: From tensors by name to a dict with `logits`; it is used up.
        batches: Some of its inputs: ranges are found on them, costs measured.
        class_ids: `(rows,)`, -1 where the label is not known.
        quantizer: That files are made with, to know their sizes.
        budget: What the choice must keep to; an open one leaves nothing in float.
        keep_float: Regular expression of the paths of layers that stay in float anyway.

    Returns:
        What `sensitivity.json` holds; `keep_float` in it is that of the choice.

    Raises:
        ValueError: for a budget that cannot be kept.
    """
    max_bytes = budget.find_bytes(FLOAT_BYTES * network.count_params())
    probe = Probe(network, batches, class_ids, keep_float)
    alone = probe.measure_each()
    ranked = rank_blocks(alone)
    whole = probe.measure(ranked)
    chosen: list[Block] = []

    def find_bytes(in_float: Sequence[Block]) -> int:
        probe.quantize(_without(ranked, in_float))
        return len(convert(network, quantizer))

    if budget.max_loss is not None and whole.loss > budget.max_loss:
        chosen = choose_by_loss(probe, ranked, budget.max_loss)
    if max_bytes is not None:
        if budget.max_loss is None:
            chosen = choose_by_bytes(ranked, max_bytes, find_bytes)
        elif (taken := find_bytes(chosen)) > max_bytes:
            raise ValueError(
                f"With a loss of at most {budget.max_loss} the file has {taken:,} bytes, of at "
                f"most {max_bytes:,}. Raise --max-loss or --max-size."
            )
    together = probe.measure(_without(ranked, chosen)) if chosen else whole
    patterns = ([f"(?:{keep_float})"] if keep_float else []) + [of.pattern for of in chosen]
    costs = {block.name: cost for block, cost in alone}
    return {
        "num_rows": probe.num_rows,
        "num_labelled": probe.num_labelled,
        "float_accuracy": probe.float_accuracy,
        "budget": dataclasses.asdict(budget),
        "whole": {"weight_bytes": _weight_bytes(ranked, []), **dataclasses.asdict(whole)},
        "mixed": {"weight_bytes": _weight_bytes(ranked, chosen), **dataclasses.asdict(together)},
        "keep_float": "|".join(patterns),
        "blocks": [
            {
                "name": block.name,
                "pattern": block.pattern,
                "num_layers": len(block.layers),
                "num_weights": block.num_weights,
                "extra_bytes": extra_bytes(block),
                "in_float": block in chosen,
                **dataclasses.asdict(costs[block.name]),
            }
            for block in ranked
        ],
    }


def extra_bytes(block: Block) -> int:
    """Returns how many more bytes the weights of a block take in float."""
    return (FLOAT_BYTES - INTEGER_BYTES) * block.num_weights


def rank_blocks(alone: Sequence[tuple[Block, Cost]]) -> list[Block]:
    """Returns blocks in the order in which they are left in float.

    The error of many roundings grows as the root of a sum of squares: first
    comes what adds most to that sum for each byte that it takes in float.

    Args:
        alone: Blocks and their costs.
    """
    return [
        block
        for block, cost in sorted(
            alone, key=lambda of: -(of[1].logit_error ** 2) / max(extra_bytes(of[0]), 1)
        )
    ]


def choose_by_loss(probe: Probe, ranked: Sequence[Block], max_loss: float) -> list[Block]:
    """Returns the fewest of the first blocks that must stay in float; at least one.

    Each candidate is measured as a whole; halving finds it.

    Raises:
        ValueError: if nothing could be quantized.
    """
    low, high = 1, len(ranked)
    with progress_bar("Trying mixed precision", high.bit_length(), "mix") as bar:
        # All in float loses nothing.
        while low < high:
            middle = (low + high) // 2
            fits = probe.measure(ranked[middle:]).loss <= max_loss
            low, high = (low, middle) if fits else (middle + 1, high)
            bar.update(1)
    if high == len(ranked):
        raise ValueError(
            f"No block can be quantized with a loss of at most {max_loss}. Raise --max-loss, or "
            "choose --quantize dynamic_range, float16 or float32."
        )
    return list(ranked[:high])


def choose_by_bytes(
    ranked: Sequence[Block], max_bytes: int, find_bytes: Callable[[Sequence[Block]], int]
) -> list[Block]:
    """Returns the first blocks that fit in float, leaving out those that are too large.

    Args:
        ranked: The blocks that gain most first.
        max_bytes: int. Of the file.
        find_bytes: Returns the size of the file with some blocks in float.

    Raises:
        ValueError: if the file is larger with all blocks quantized.
    """
    smallest = find_bytes([])
    if smallest > max_bytes:
        raise ValueError(
            f"With every block quantized the file has {smallest:,} bytes, of at most "
            f"{max_bytes:,}. Raise --max-size, or choose a smaller encoder."
        )
    # A block in float needs more than its weights, to and from integers.
    besides = 0.0
    while chosen := _fill(ranked, max_bytes - smallest, besides):
        taken = find_bytes(chosen)
        if taken <= max_bytes:
            break
        besides = (taken - smallest - sum(map(extra_bytes, chosen))) / len(chosen)
    return chosen


def _fill(ranked: Sequence[Block], left: float, besides: float) -> list[Block]:
    chosen = []
    for block in ranked:
        if (needed := extra_bytes(block) + besides) <= left:
            chosen.append(block)
            left -= needed
    return chosen


def _without(blocks: Sequence[Block], left_out: Sequence[Block]) -> list[Block]:
    return [of for of in blocks if of not in left_out]


def _weight_bytes(blocks: Sequence[Block], in_float: Sequence[Block]) -> int:
    quantized = sum(INTEGER_BYTES * of.num_weights for of in blocks)
    return quantized + sum(extra_bytes(of) for of in in_float)

"""What it costs to quantize each block of a network alone."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from trainer.layers.quantized.attach import attach_quantizers, calibrate
from trainer.layers.quantized.grouping import Block, group_layers
from trainer.layers.quantized.twin import InFloat, Twin, set_idle
from trainer.progress import progress_bar

FLOAT_BYTES, INTEGER_BYTES = 4, 1


@dataclass(frozen=True)
class Cost:
    """What a network answers otherwise than in float.

    Args:
        agreement: Share of rows with the same answer.
        accuracy_loss: By how much fewer of the labelled rows are right, as a
            share; `None` without labels.
        logit_error: Root of the mean square of the differences of all logits.
    """

    agreement: float
    accuracy_loss: float | None
    logit_error: float

    @property
    def loss(self) -> float:
        """Of accuracy, or where no labels are known, of agreement."""
        return 1 - self.agreement if self.accuracy_loss is None else self.accuracy_loss


class Probe:
    """A network of which any blocks can be quantized, the others in float.

    It is attached and calibrated once; after that, twins are only made idle.

    Args:
        network: From tensors by name to a dict with `logits`; it is changed in place.
        batches: Some of its inputs: ranges are found on them, costs measured.
        class_ids: `(rows,)`, -1 where the label is not known.
        keep_float: Regular expression of the paths of layers that are not looked at.

    Attributes:
        blocks: What can be quantized, or left in float, as a whole.
        float_accuracy: Of the network as it was; `None` without labels.
    """

    def __init__(
        self,
        network: keras.Model,
        batches: Sequence[Mapping[str, Any]],
        class_ids: np.ndarray,
        keep_float: str = "",
    ) -> None:
        self.network = network
        attached = attach_quantizers(network, keep_float)
        calibrate(network, attached, batches)
        self.blocks: list[Block] = group_layers(attached.quantized)
        self._batches = [network._standardize_inputs(dict(of)) for of in batches]
        self._class_ids = class_ids
        self._remembered: dict[Any, Any] = {}
        self.quantize(())
        self._float_logits = self._run()
        self.float_accuracy = self._find_accuracy(self._float_logits)

    @property
    def num_rows(self) -> int:
        return len(self._class_ids)

    @property
    def num_labelled(self) -> int:
        return int((self._class_ids >= 0).sum())

    def quantize(self, blocks: Collection[Block]) -> None:
        """Quantizes these blocks, and leaves all others in float."""
        active = {block.name for block in blocks}
        for block in self.blocks:
            for layer in block.layers:
                set_idle(layer, block.name not in active)

    def measure(self, blocks: Collection[Block]) -> Cost:
        """Returns the cost of quantizing these blocks and no others."""
        self.quantize(blocks)
        logits = self._run()
        accuracy = self._find_accuracy(logits)
        lost = None
        if accuracy is not None and self.float_accuracy is not None:
            lost = self.float_accuracy - accuracy
        agree = logits.argmax(axis=1) == self._float_logits.argmax(axis=1)
        error = np.sqrt(np.mean((logits - self._float_logits) ** 2))
        return Cost(float(agree.mean()), lost, float(error))

    def measure_each(self) -> list[tuple[Block, Cost]]:
        """Returns the cost of quantizing each block alone."""
        found = []
        with progress_bar("Quantizing one block at a time", len(self.blocks), "block") as bar:
            for block in self.blocks:
                found.append((block, self.measure([block])))
                bar.update(1)
        return found

    def _find_accuracy(self, logits: np.ndarray) -> float | None:
        labelled = self._class_ids >= 0
        if not labelled.any():
            return None
        return float(np.mean(logits.argmax(axis=1)[labelled] == self._class_ids[labelled]))

    def _run(self) -> np.ndarray:
        """Returns the logits of all rows, `(rows, num_classes)`."""
        found = [self._run_batch(inputs)["logits"] for inputs in self._batches]
        return np.concatenate([keras.ops.convert_to_numpy(of) for of in found])

    def _run_batch(self, inputs: Sequence[Any]) -> Any:
        # Not traced: a trace of the whole network would take longer than to run it.
        return self.network._run_through_graph(inputs, operation_fn=self._remember)

    def _remember(self, operation: Any) -> Callable[..., Any]:
        """Returns an operation that answers from memory where all of it is in float.

        Of several encoders, only the one with the quantized block runs again.
        """
        parts = operation._flatten_layers() if isinstance(operation, keras.Layer) else ()
        if any(isinstance(of, Twin) and not isinstance(of, InFloat) for of in parts):
            return operation

        def answer(*args: Any, **kwargs: Any) -> Any:
            read = tf.nest.flatten((args, kwargs))
            key = (id(operation), *(id(of) if tf.is_tensor(of) else repr(of) for of in read))
            if key not in self._remembered:
                # What was read is kept, too: no other tensor can have its identity then.
                self._remembered[key] = (operation(*args, **kwargs), read)
            return self._remembered[key][0]

        return answer

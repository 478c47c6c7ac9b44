"""What every auxiliary objective answers: outputs beside the votes, their targets and losses."""

from __future__ import annotations

import abc
from collections.abc import Mapping, Sequence
from typing import Any

import keras
import numpy as np

from trainer.preprocessing import Branch
from trainer.sample import Sample


class Objective(abc.ABC):
    """One more thing to learn in training, of which the exported model keeps nothing.

    It adds outputs to the votes. What they share with them, the fusion and
    encoders that are not frozen, learns from both.

    A member is registered with `@OBJECTIVES.register(name)`. Its constructor
    takes `weight` and other options with defaults; those are the options of the
    configuration, `train.objectives.<name>.<option>`.

    Args:
        weight: float above 0. How much its losses count; that of the votes
            counts 1.
    """

    columns: tuple[str, ...] = ()
    """Columns of the table that it needs as labels, which are no inputs then."""

    def __init__(self, weight: float) -> None:
        if not 0 < weight < float("inf"):
            raise ValueError(
                f"`weight` of an objective must be a number above 0. Received: weight={weight}."
            )
        self.weight = weight

    def adapt(self, values: Mapping[str, np.ndarray]) -> None:  # noqa: B027 - most learn nothing
        """Learns what there is to tell apart from training rows.

        Args:
            values: Of each of `columns` the cells `(rows,)`, empty where unknown.
        """

    @abc.abstractmethod
    def build(self, votes: keras.Model, branches: Sequence[Branch]) -> dict[str, Any]:
        """Builds the outputs.

        Args:
            votes: What `build_votes` made.
            branches: The branches that it reads.

        Returns:
            Symbolic tensors `(batch, ...)` by name, made from tensors of `votes`.

        Raises:
            ValueError: if these branches are not what it needs.
        """

    @abc.abstractmethod
    def losses(self) -> dict[str, keras.losses.Loss]:
        """Returns the loss of each output. A loss leaves out rows that have nothing to say."""

    def targets(self, sample: Sample, values: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Returns the targets `(n, ...)` of each output; the classes by default.

        Args:
            sample: Rows.
            values: Of each of `columns` the cells of these rows `(n,)`.
        """
        return dict.fromkeys(self.losses(), sample.class_ids)

"""AdamW that gives each tuned encoder a learning rate of its own."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras

from trainer.tuning.tuning import Tuning


class TunedAdamW(keras.optimizers.Adam):
    """AdamW; what tuning methods train learns at their rates, and they hear of every step.

    Args:
        learning_rate: Schedule for what no method trains, such as the votes.
        peak: float. Its highest value; that of an encoder is its method's, at
            the same step.
        decay: float. Weight decay.
        tuned: Pairs of a method and the encoder that it was applied to.
        num_steps: int. How many steps there will be.

    Reference:
        Loshchilov and Hutter, 2019, arXiv:1711.05101.
    """

    def __init__(
        self,
        learning_rate: Any,
        *,
        peak: float,
        decay: float = 0.0,
        tuned: Sequence[tuple[Tuning, keras.Model]] = (),
        num_steps: int = 0,
        **kwargs: Any,
    ) -> None:
        super().__init__(learning_rate, **kwargs)
        self.decay = decay
        self.num_steps = num_steps
        self._methods = tuple(method for method, _ in tuned)
        self._factors_by_id = {
            id(variable): method.learning_rate / peak
            for method, encoder in tuned
            for variable in encoder.trainable_variables
        }

    def build(self, variables: Sequence[keras.Variable]) -> None:
        if self.built:
            return
        super().build(variables)
        self._factors = tuple(self._factors_by_id.get(id(of), 1.0) for of in variables)
        for method in self._methods:
            method.start(self.add_variable)

    def update_step(self, gradient: Any, variable: Any, learning_rate: Any) -> None:
        rate = learning_rate * self._factors[self._get_variable_index(variable)]
        if self.decay:
            self.assign_sub(variable, variable * self.decay * rate)
        super().update_step(gradient, variable, rate)

    def apply(self, grads: Sequence[Any], trainable_variables: Any = None) -> None:
        super().apply(grads, trainable_variables)
        pairs = zip(trainable_variables, grads, strict=True)
        gradients = {id(variable): gradient for variable, gradient in pairs}
        for method in self._methods:
            method.after_step(gradients, self.iterations, self.num_steps)

"""The optimizer: how fast it learns, and which mean of the weights it keeps."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
from keras import ops

from trainer.config import TrainConfig
from trainer.optimizer import TunedAdamW
from trainer.tuning.tuning import Tuning

# Shares of the steps, and of the peak of the learning rate.
_EMA_STEPS = 0.1
_SWA_START = 0.75
_SWA_RATE = 0.5


def build_optimizer(
    config: TrainConfig,
    learning_rate: float,
    epochs: int,
    steps: int,
    tuned: Sequence[tuple[Tuning, keras.Model]] = (),
) -> TunedAdamW:
    """Makes AdamW with a warm-up and a cosine decay, averaging weights where that is configured.

    Args:
        config: Warm-up, decay of the weights, averaging.
        learning_rate: float. Its peak. It falls to zero; for the mean of the
            last epochs to half the peak, and stays there while it is taken.
        epochs: int.
        steps: int. Batches an epoch.
        tuned: See `TunedAdamW`.

    Reference:
        Of the moving average, Polyak and Juditsky, 1992.
    """
    first = max(int(_SWA_START * epochs), 1)
    total = max((first if config.average == "swa" else epochs) * steps, 1)
    warmup = int(config.warmup * total)
    schedule = keras.optimizers.schedules.CosineDecay(
        0.0 if warmup else learning_rate,
        total - warmup,
        alpha=_SWA_RATE if config.average == "swa" else 0.0,
        warmup_target=learning_rate if warmup else None,
        warmup_steps=warmup,
    )
    options: dict[str, Any] = {
        "peak": learning_rate,
        "decay": config.weight_decay,
        "tuned": tuned,
        "num_steps": epochs * steps,
        "clipnorm": 1.0,
    }
    if config.average == "swa":
        return EpochMeanAdamW(schedule, first, steps, **options)
    momentum = 1 - 1 / max(_EMA_STEPS * total, 1)
    return TunedAdamW(schedule, use_ema=config.average == "ema", ema_momentum=momentum, **options)


class EpochMeanAdamW(TunedAdamW):
    """AdamW whose average of the weights is their mean at the ends of the last epochs.

    It takes the place of Keras' moving average, with all that goes with it:
    `SwapEMAWeights`, saved with the optimizer, `finalize_variable_values`.

    Args:
        learning_rate: float or schedule.
        first_epoch: int. The first epoch at whose end weights enter the mean;
            before it the average is the current weights.
        steps: int. Batches an epoch.
        kwargs: See `TunedAdamW`.

    Reference:
        Izmailov et al., 2018, arXiv:1803.05407. The statistics of batch
        normalisations are not taken anew: encoders here keep theirs.
    """

    def __init__(self, learning_rate: Any, first_epoch: int, steps: int, **kwargs: Any) -> None:
        super().__init__(learning_rate, use_ema=True, **kwargs)
        self.first_epoch = first_epoch
        self.steps = steps

    def _update_model_variables_moving_average(self, trainable_variables: Any) -> None:
        step = ops.cast(self.iterations, "int32") + 1
        entered = step // self.steps - self.first_epoch + 1
        ends = ops.equal(step % self.steps, 0)
        share = ops.cast(ops.where(ends, 1 / ops.maximum(entered, 1), 0.0), "float32")
        share = ops.where(entered < 1, 1.0, share)
        for variable, average in zip(
            trainable_variables, self._model_variables_moving_average, strict=True
        ):
            average.assign(average + share * (variable - average))

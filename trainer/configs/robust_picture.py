"""A picture encoder that is trained against attacks on its pixels.

    taxofuse run --data pictures.csv --label category --config robust_picture \
        --workdir runs/robust_picture

For tables whose picture is all there is to go by, or is to hold by itself. All
of the encoder learns from pictures that were moved against it by 12/255, at a
size of 48 pixels, where a few steps of each hide less. It costs accuracy on
pictures as they are: `tests/benchmarks/robustness.py` compares.
"""

import dataclasses

from trainer.config import Config
from trainer.configs import default


def get_config() -> Config:
    config = default.get_config()
    picture = {
        "weights": "package:efficientnet-lite0",
        "image_size": 48,
        "tuning": "full",
        "tuning_options": {"learning_rate": 1e-3},
    }
    model = dataclasses.replace(
        config.model,
        encoders={
            **config.model.encoders,
            "image": {"image_backbone": picture},
            "text": {"ngram": {"fold_look_alikes": True}},
        },
    )
    train = dataclasses.replace(
        config.train,
        batch_size=32,
        encoder_epochs=24,
        regularization="fgsm",
        regularization_options={"multiplier": 8.0, "adv_step_size": {"pixels": 12 / 255}},
    )
    return dataclasses.replace(config, model=model, train=train)

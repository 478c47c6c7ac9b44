"""The default, hardened: a picture that was tampered with cannot turn what the words say.

    taxofuse run --data products.csv --label category --config robust --workdir runs/robust

The fused vote learns to hold where the embedding of the picture is replaced by
the worst of all, and those of the others are moved a little; votes on the
picture alone learn as ever. `tests/benchmarks/robustness.py` compares.
"""

import dataclasses

from trainer.config import Config
from trainer.configs import default


def get_config() -> Config:
    config = default.get_config()
    train = dataclasses.replace(
        config.train,
        regularization="fgsm",
        regularization_options={
            "multiplier": 1.0,
            "adv_step_size": {"image_embedding": 1.0, "text_embedding": 0.1},
            "fused_only": True,
        },
    )
    return dataclasses.replace(config, train=train)

"""The default, taught by badly made copies of each picture.

    taxofuse run --data products.csv --label category --config bad_photos --workdir runs/mine

Twelve copies of each picture, noisy, blurred, compressed, too dark, hidden in
part, stamped or turned, are learned from beside it. For tables where nothing
but the picture tells the classes apart.
`tests/benchmarks/robustness.py --corruptions` compares.
"""

import dataclasses

from trainer.config import AugmentConfig, Config
from trainer.configs import default


def get_config() -> Config:
    config = default.get_config()
    # With thirteen times the rows, an epoch has thirteen times the steps.
    train = dataclasses.replace(config.train, head_epochs=20)
    augment = AugmentConfig(views=12, share=0.9, operations={"image": {"any_corruption": {}}})
    return dataclasses.replace(config, train=train, augment=augment)

"""The default, hardened against pictures and words that were tampered with.

    taxofuse run --data products.csv --label category --config robust --workdir runs/robust

The picture is not fused: it has a vote of its own that makes no class more than
4.5 times as likely beside another, whatever it shows. So it decides where words
leave the answer open, and turns few answers where they do not. Texts are read as
n-grams alone, with look-alike letters folded. Copies of each product with words
misspelled or left out are learned from beside it. `tests/benchmarks/robustness.py`
compares.
"""

import dataclasses

from trainer.config import AugmentConfig, Config
from trainer.configs import default


def get_config() -> Config:
    config = default.get_config()
    model = dataclasses.replace(
        config.model,
        encoders={**config.model.encoders, "text": {"ngram": {"fold_look_alikes": True}}},
        reach={"image_backbone": 1.5},
    )
    augment = AugmentConfig(
        views=3, operations={"text": {"word_edits": {"rate": 0.2}, "word_dropout": {"rate": 0.2}}}
    )
    return dataclasses.replace(config, model=model, augment=augment)

"""The default, hardened against pictures and words that were tampered with.

    taxofuse run --data products.csv --label category --config robust --workdir runs/robust

What leads are n-grams of the text, with look-alike letters folded, and numbers.
The picture, and what MiniLM makes of the text, are easier to turn: they are not
fused, but have votes that make no class more than 4.5 and 2.7 times as likely
beside another. So they decide where the answer is open, and turn few that are
not. Copies of each product with words misspelled or left out are learned from
beside it. `tests/benchmarks/robustness.py` compares.
"""

import dataclasses

from trainer.config import AugmentConfig, Config
from trainer.configs import default


def get_config() -> Config:
    config = default.get_config()
    text = {**config.model.encoders["text"], "ngram": {"fold_look_alikes": True}}
    model = dataclasses.replace(
        config.model,
        encoders={**config.model.encoders, "text": text},
        reach={"image_backbone": 1.5, "bert": 1.0},
    )
    augment = AugmentConfig(
        views=3, operations={"text": {"word_edits": {"rate": 0.2}, "word_dropout": {"rate": 0.2}}}
    )
    return dataclasses.replace(config, model=model, augment=augment)

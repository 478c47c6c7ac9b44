"""The default, hardened against pictures and words that were tampered with.

    taxofuse run --data products.csv --label category --config robust --workdir runs/robust

The fused vote learns to hold where the embedding of the picture is replaced by
the worst of all; votes on the picture alone learn as ever, and the embedding of
the text stays as it is. Texts are read as n-grams alone, with look-alike letters
folded. Copies of each product with words misspelled or left out are learned
from beside it. `tests/benchmarks/robustness.py` compares.
"""

import dataclasses

from trainer.config import AugmentConfig, Config
from trainer.configs import default


def get_config() -> Config:
    config = default.get_config()
    model = dataclasses.replace(
        config.model,
        encoders={**config.model.encoders, "text": {"ngram": {"fold_look_alikes": True}}},
    )
    train = dataclasses.replace(
        config.train,
        regularization="fgsm",
        regularization_options={
            "multiplier": 1.0,
            "adv_step_size": {"image_embedding": 1.0, "text_embedding": 0.0},
            "fused_only": True,
        },
    )
    augment = AugmentConfig(
        views=3, operations={"text": {"word_edits": {"rate": 0.2}, "word_dropout": {"rate": 0.2}}}
    )
    return dataclasses.replace(config, model=model, train=train, augment=augment)

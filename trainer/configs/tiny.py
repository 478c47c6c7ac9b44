"""Seconds instead of minutes, for tests: tiny encoders, trained from nothing.

taxofuse run --data products.csv --label category --config tiny --workdir runs/tiny
"""

from trainer.config import Config, ModelConfig, TrainConfig


def get_config() -> Config:
    return Config(
        model=ModelConfig(
            encoders={
                "image": {"tiny_image": {}},
                "text": {"tiny_text": {}, "ngram": {"dim": 64}},
                "number": {"piecewise": {}},
                "category": {"one_hot": {}},
            }
        ),
        train=TrainConfig(head_epochs=10),
    )

"""The flagship: BERT-base and ResNet50, fused by cross-attention, trained whole.

    taxofuse run --data products.csv --label category --config bert_resnet50 --workdir runs/flagship

Needs KerasHub's preset `bert_base_en_uncased` and Keras' ImageNet weights from
their hubs, or from local files:

    --set model.encoders.text.bert.weights=FOLDER
    --set model.encoders.image.resnet50.weights=FILE.h5
"""

from trainer.config import Config, ModelConfig, TrainConfig


def get_config() -> Config:
    return Config(
        model=ModelConfig(
            encoders={
                "image": {"resnet50": {"weights": "imagenet", "tuning": "full"}},
                "text": {
                    "bert": {"weights": "bert_base_en_uncased", "tuning": "full"},
                    "ngram": {},
                },
                "number": {"piecewise": {}},
                "category": {"one_hot": {}},
            },
            fusion="cross_attention",
            dropout=0.1,
        ),
        train=TrainConfig(batch_size=32, head_learning_rate=1e-3),
    )

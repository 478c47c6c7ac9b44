"""BERT-base and ResNet50 as files for devices: minutes on a CPU, 6 GB."""

import functools
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf

from trainer.certificate import DeviceNetwork
from trainer.config import TrainConfig, load_config
from trainer.device_graph import convert
from trainer.inputs import InputSpec
from trainer.model import build_scorer, build_voter, build_votes
from trainer.overrides import apply_overrides
from trainer.preprocessing import build_branches
from trainer.quantized_training import train_quantized
from trainer.records import write_records
from trainer.registry import QUANTIZERS

INPUTS = (
    InputSpec("image_bytes", "image", ("image",)),
    InputSpec("text", "text", ("title",)),
)
PRODUCTS = ("CONV_2D", "FULLY_CONNECTED", "BATCH_MATMUL")
# A vote of all inputs, and one without each of the two.
NUM_BLOCKS, NUM_FUSED = 12, 3
# Query, key, value, output; and two of the feed-forward network.
NUM_BERT_DENSE = NUM_BLOCKS * 6


def answer(network: keras.Model) -> np.ndarray:
    return np.concatenate([network(row, training=False)["logits"].numpy() for row in rows()])


def build() -> keras.Model:
    keras.utils.set_random_seed(0)
    weights = ("image.resnet50", "text.bert")
    settings = [f"model.encoders.{name}.weights=random" for name in weights]
    config = apply_overrides(load_config("bert_resnet50"), settings)
    branches = [of for of in build_branches(INPUTS, config.model.encoders) if not of.encoder.adapts]
    encoders = {branch.name: branch.encoder.build() for branch in branches}
    widths = {name: encoder.output.shape[-1] for name, encoder in encoders.items()}
    voter = build_voter(encoders, build_votes(branches, widths, 5, config.model))
    rng = np.random.default_rng(0)
    norms = [of for of in voter._flatten_layers() if "BatchNorm" in type(of).__name__]
    assert len(norms) == 53
    for norm in norms:
        norm.gamma.assign(rng.uniform(0.5, 1.5, norm.gamma.shape))
        norm.beta.assign(rng.normal(0, 0.3, norm.beta.shape))
        norm.moving_mean.assign(rng.normal(0, 0.3, norm.moving_mean.shape))
        norm.moving_variance.assign(rng.uniform(0.5, 2, norm.moving_variance.shape))
    for weight in voter.get_layer("votes").trainable_weights:
        if "vote" in weight.path and "kernel" in weight.path:
            weight.assign(rng.normal(scale=0.3, size=weight.shape))
    scorer = build_scorer(voter, np.full(voter.output.shape[1], 0.2, np.float32))
    outputs = {"logits": scorer.get_layer("pool").output}
    return keras.Model(scorer.input, outputs, name="device")


def draw_row(rng: np.random.Generator, tokens: int) -> dict[str, np.ndarray]:
    mask = (np.arange(128) < tokens).astype(np.int32)[None]
    return {
        "text_bert_token_ids": mask * rng.integers(1000, 30000, (1, 128)).astype(np.int32),
        "text_bert_padding_mask": mask,
        "image_bytes_resnet50_pixels": rng.integers(0, 256, (1, 224, 224, 3)).astype(np.uint8),
        "text_present": np.ones(1, bool),
        "image_bytes_present": np.ones(1, bool),
    }


@functools.cache
def rows() -> list[dict[str, np.ndarray]]:
    rng = np.random.default_rng(1)
    return [draw_row(rng, tokens) for tokens in (128, 20, 3, 60)]


def write_lessons(folder: Path, answers: np.ndarray) -> Path:
    """Writes what the float network answers to each row."""
    lessons = [
        {**{name: of[0] for name, of in row.items()}, "target-": answer, "weight": 1.0}
        for row, answer in zip(rows(), answers, strict=True)
    ]
    specs = {name: tf.TensorSpec(of.shape[1:], of.dtype) for name, of in rows()[0].items()}
    specs["target-"] = tf.TensorSpec(answers.shape[1:], tf.float32)
    specs["weight"] = tf.TensorSpec((), tf.float32)
    write_records(folder, lessons, specs)
    return folder


@pytest.mark.slow
def test_the_base_model_learns_to_compute_every_product_with_integers(tmp_path):
    network = build()
    floats = answer(network)
    plain = len(convert(network, QUANTIZERS.make("float32", {})))
    del network
    keras.backend.clear_session()

    network, quantizer = build(), QUANTIZERS.make("qat_int8", {"epochs": 2, "batch_size": 2})
    quantizer.prepare(network, rows())
    spread = np.ptp(floats)
    assert np.abs(answer(network) - floats).max() < 0.05 * spread
    before = [of.numpy() for of in network.trainable_weights]
    lessons = write_lessons(tmp_path / "lessons", floats)
    train_quantized(network, quantizer, lessons, TrainConfig(), folder=tmp_path / "stage")
    after = [of.numpy() for of in network.trainable_weights]
    moved = [np.any(now != was) for now, was in zip(after, before, strict=True)]
    assert np.mean(moved) > 0.95
    del before, after
    device = DeviceNetwork(convert(network, quantizer))
    assert plain / len(device.content) >= 3.9
    counts = device.count_operators()
    names = {of["operator"] for of in counts}
    assert not any(name.startswith(("Flex", "CUSTOM")) for name in names)
    found = [of for of in counts if of["operator"] in PRODUCTS]
    in_float = [of for of in found if not of["precision"] == of["weights"] == "int8"]
    # The pool, which weighs the votes.
    assert [(of["operator"], of["count"]) for of in in_float] == [("BATCH_MATMUL", 1)]
    count = {
        name: sum(of["count"] for of in found if of["operator"] == name and of not in in_float)
        for name in PRODUCTS
    }
    assert count == {
        # Dense layers are written as convolutions of one pixel. Two of the fusion's
        # projections are of nothing, and so constants.
        "CONV_2D": 53 + NUM_BERT_DENSE + NUM_FUSED * 8 - 2 + NUM_FUSED + 2,
        "BATCH_MATMUL": 2 * NUM_BLOCKS + 2 * NUM_FUSED,
        "FULLY_CONNECTED": 0,
    }
    answers = np.array([device(row) for row in rows()])
    assert np.abs(answers - answer(network)).max() < 0.05 * spread
    # The shortest of its lengths gives what the padded text gives.
    short = {**rows()[1]}
    for name in ("text_bert_token_ids", "text_bert_padding_mask"):
        short[name] = short[name][:, :24]
    assert np.abs(device(short) - answers[1]).max() < 1e-3 * spread

from __future__ import annotations

import pytest

from trainer.config import Config, load_config
from trainer.search.space import DEFAULT_SPACE, Choice, Range, parse_space, read_setting


def test_ranges_take_the_type_of_their_setting():
    space = parse_space(["train.l2 = 1..10:log", "train.head_epochs=5..60"], Config())
    assert space == (
        Range("train.l2", 1.0, 10.0, log=True),
        Range("train.head_epochs", 5, 60),
    )
    assert isinstance(space[0].low, float)
    assert isinstance(space[1].low, int)


def test_choices_are_kept_as_they_are_written():
    space = parse_space(
        ["model.fusion=concat|gated", "train.class_names=true | false"], load_config("tiny")
    )
    assert space == (
        Choice("model.fusion", ("concat", "gated")),
        Choice("train.class_names", ("true", "false")),
    )


def test_options_of_encoders_can_be_varied():
    config = load_config("tiny")
    assert parse_space(["model.encoders.text.ngram.dim=32..128"], config) == (
        Range("model.encoders.text.ngram.dim", 32, 128),
    )
    assert read_setting(config, "model.encoders.text.ngram.dim") == 64
    assert read_setting(config, "model.encoders.text.ngram.other") is None


@pytest.mark.parametrize("config", ["default", "bert_resnet50", "tiny"])
def test_default_space_fits_every_configuration(config):
    assert len(parse_space(DEFAULT_SPACE, load_config(config))) == len(DEFAULT_SPACE)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("train.l3=1..2", r"--vary train\.l3=1\.\.2: Unknown setting .*Received: .l3."),
        ("train.l2=-1..2", r"--vary .*train\.l2 must be a number of at least 0"),
        ("train.l2=2..1", "--vary .*lower bound comes first"),
        ("train.l2=1", r"--vary train\.l2=1: Expected a\.b=LOW\.\.HIGH"),
        ("train.l2", r"--vary train\.l2: Expected"),
        ("train.l2=1..x", r"--vary .*must be of type float"),
        ("train.l2=1..2:lag", "--vary .*Unknown scale.*Did you mean 'log'"),
        ("train.l2=0..2:log", "--vary .*above 0"),
        ("train.head_epochs=1..2.5", "--vary .*must be of type int"),
        ("train.class_names=0..1", r"--vary .*takes no range.*train\.class_names=x"),
        ("model.fusion=a..b", "--vary .*takes no range"),
        ("train.class_weights=none|some", "--vary .*Unknown value of train.class_weights"),
        ("data.seed=1..5", "--vary .*Unknown section to vary.*'augment', 'model', 'train'"),
    ],
)
def test_errors_name_the_option(text, message):
    with pytest.raises(ValueError, match=message):
        parse_space([text], Config())


def test_a_setting_is_varied_once():
    with pytest.raises(ValueError, match=r"--vary .*train\.l2 2 times"):
        parse_space(["train.l2=1..2", "train.l2=3|4"], Config())

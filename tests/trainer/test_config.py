import dataclasses
import json
import math

import pytest

from trainer.config import Config, DataConfig, ModelConfig, TrainConfig, config_names, load_config
from trainer.overrides import apply_overrides


def change(*settings, base=None):
    return apply_overrides(base or Config(), settings)


@pytest.mark.parametrize("name", config_names())
def test_every_configuration_survives_json(name):
    config = load_config(name)
    restored = Config.from_dict(json.loads(config.to_json()))
    assert restored.to_json() == config.to_json()
    assert restored.data == config.data
    assert restored.train == config.train


def test_changed_configuration_survives_json():
    config = change("data.label=a,b", "data.columns.price=number", "model.fusion_options.x=3")
    config = change("data.fractions=0.6,0.2,0.2", "train.mixed_precision=true", base=config)
    assert Config.from_dict(json.loads(config.to_json())) == config


def test_json_of_another_version_is_refused_by_name():
    values = json.loads(Config().to_json())
    values["train"]["batchsize"] = 3
    with pytest.raises(ValueError, match=r"'batchsize'.*Did you mean 'batch_size'\?"):
        Config.from_dict(values)
    with pytest.raises(ValueError, match=r"'tran'.*Did you mean 'train'\?"):
        Config.from_dict({"tran": {}})


def test_missing_values_are_defaults():
    assert Config.from_dict({"train": {"seed": 3}}).train == TrainConfig(seed=3)


@pytest.mark.parametrize(
    ("setting", "section", "name", "value"),
    [
        ("data.table=a=b.csv", "data", "table", "a=b.csv"),
        ("data.label=category, subcategory", "data", "label", ("category", "subcategory")),
        ("data.ignore=", "data", "ignore", ()),
        ("data.fractions=0.5,0.25,0.25", "data", "fractions", (0.5, 0.25, 0.25)),
        ("data.columns.price=number", "data", "columns", {"price": "number"}),
        ("data.columns.list.price=number", "data", "columns", {"list.price": "number"}),
        ("data.columns={'a': 'text'}", "data", "columns", {"a": "text"}),
        ("model.dropout=0.25", "model", "dropout", 0.25),
        ("model.embedding_scale=3", "model", "embedding_scale", 3.0),
        ("model.fusion_options.projection_dim=8", "model", "fusion_options", {"projection_dim": 8}),
        ("train.batch_size=16", "train", "batch_size", 16),
        ("train.deterministic=TRUE", "train", "deterministic", True),
        ("train.study=no", "train", "study", False),
        (" train.l2 = 1e-4 ", "train", "l2", 1e-4),
    ],
)
def test_reads_values_by_the_type_of_the_setting(setting, section, name, value):
    changed = getattr(getattr(change(setting), section), name)
    assert changed == value
    assert type(changed) is type(value)


def test_lists_may_be_written_as_python_does():
    """`ProductClassifier` passes values on as text."""
    assert change(f"data.label={('a', 'b')}").data.label == ("a", "b")
    assert change(f"data.fractions={[0.5, 0.25, 0.25]}").data.fractions == (0.5, 0.25, 0.25)


def test_type_does_not_depend_on_how_the_default_was_written():
    base = Config(model=ModelConfig(dropout=0), train=TrainConfig(l2=0))
    assert change("model.dropout=0.1", base=base).model.dropout == 0.1
    assert change("train.l2=0.1", base=base).train.l2 == 0.1


def test_changes_and_adds_encoders():
    base = load_config("tiny")
    config = change(
        "model.encoders.text.tiny_text.dim=4",
        "model.encoders.text.tiny_text.tuning=frozen",
        "model.encoders.text.ngram={}",
        "model.encoders.image={'resnet50': {'weights': 'random'}}",
        base=base,
    )
    assert config.model.encoders["text"] == {
        "tiny_text": {"dim": 4, "tuning": "frozen"},
        "ngram": {},
    }
    assert config.model.encoders["image"] == {"resnet50": {"weights": "random"}}
    assert base == load_config("tiny"), "the base was changed in place"


def test_mappings_may_be_written_as_python_or_as_json_does():
    expected = {"fused_only": True, "adv_step_size": {"pixels": 0.1}}
    for setting in (str(expected), json.dumps(expected)):
        config = change(f"train.regularization_options={setting}")
        assert config.train.regularization_options == expected


def test_later_settings_win():
    assert change("train.seed=1", "train.seed=2").train.seed == 2
    config = change("data.columns.a=text", "data.columns.b=number", "data.columns.a=number")
    assert config.data.columns == {"a": "number", "b": "number"}


def test_what_needs_another_setting_may_come_before_it():
    assert change("train.bootstrap=true", "train.ensemble=2").train.bootstrap
    with pytest.raises(ValueError, match=r"train\.bootstrap needs train\.ensemble=2"):
        change("train.bootstrap=true")


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ("train.head_epoch=1", r"'head_epoch'\. Did you mean 'head_epochs'\?"),
        ("trian.seed=1", r"'trian'\. Did you mean 'train'\?"),
        ("train=1", r"'train' is a section.*train\.batch_size=VALUE"),
        ("train.seed", r"must look like section\.name=VALUE.*'train\.seed'"),
        ("train.seed.x=1", r"'train\.seed\.x' goes deeper"),
        ("train.seed=a", r"train\.seed must be of type int.*train\.seed=a"),
        ("train.l2=a", r"train\.l2 must be of type float"),
        ("train.study=maybe", r"train\.study must be true or false"),
        ("data.fractions=a,b,c", r"data\.fractions must be numbers.*a,b,c"),
        ("data.fractions=0.5,0.5", r"data\.fractions must be three shares"),
        ("data.wrong_labels=drop", r"data\.wrong_labels needs data\.suspicious"),
        ("data.columns=price", r"data\.columns must be a mapping"),
        ("data.text=joint", r"value of data\.text.*Did you mean 'joined'\?"),
    ],
)
def test_wrong_settings_are_answered_with_right_ones(setting, message):
    with pytest.raises(ValueError, match=message):
        change(setting)


@pytest.mark.parametrize(
    ("section", "values", "message"),
    [
        (DataConfig, {"fractions": (0.0, 0.5, 0.5)}, "must leave rows to train on"),
        (DataConfig, {"fractions": (1.1, -0.1, 0.0)}, "three shares"),
        (ModelConfig, {"dropout": 1.0}, "at least 0 and below 1"),
        (ModelConfig, {"modality_dropout": -0.1}, "at least 0"),
        (ModelConfig, {"embedding_scale": 0.0}, "above 0"),
        (TrainConfig, {"batch_size": 0}, "at least 1"),
        (TrainConfig, {"head_learning_rate": 0.0}, "above 0"),
        (TrainConfig, {"head_learning_rate": math.nan}, "above 0"),
        (TrainConfig, {"vote_learning_rate": math.inf}, "above 0"),
        (TrainConfig, {"l2": math.nan}, "of at least 0"),
        (TrainConfig, {"patience": -1}, "of at least 0"),
        (TrainConfig, {"label_smoothing": 1.0}, "below 1"),
        (TrainConfig, {"class_weights": "balance"}, "Did you mean 'balanced'"),
        (TrainConfig, {"sampling": "balance"}, "Did you mean 'balanced'"),
        (
            TrainConfig,
            {"sampling": "balanced", "class_weights": "effective"},
            "class_weights must be none with train.sampling=balanced",
        ),
        (TrainConfig, {"refit": "yes"}, "'always', 'auto', 'never'"),
    ],
)
def test_values_out_of_range_are_refused(section, values, message):
    with pytest.raises(ValueError, match=message):
        section(**values)


def test_is_frozen():
    with pytest.raises(dataclasses.FrozenInstanceError):
        Config().train.seed = 3


def test_loads_a_users_file(tmp_path):
    file = tmp_path / "mine.py"
    file.write_text(
        "from trainer.config import Config, TrainConfig\n"
        "def get_config():\n    return Config(train=TrainConfig(seed=7))\n"
    )
    assert load_config(str(file)).train.seed == 7


def test_files_that_are_no_configuration_are_refused(tmp_path):
    file = tmp_path / "mine.py"
    with pytest.raises(FileNotFoundError, match=r"No configuration file at .*mine\.py"):
        load_config(str(file))
    file.write_text("x = 1\n")
    with pytest.raises(ValueError, match=r"must define get_config\(\)\. Received: .*mine\.py"):
        load_config(str(file))
    file.write_text("def get_config():\n    return {}\n")
    with pytest.raises(ValueError, match=r"must return a Config\. Received: .*mine\.py.*dict"):
        load_config(str(file))
    with pytest.raises(ValueError, match=r"Expected one of .*'tiny'.*Did you mean 'tiny'\?"):
        load_config("tinny")

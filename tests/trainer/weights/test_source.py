import json
import logging

import pytest

from trainer.weights.source import WeightsSource, resolve_weights


def _write_folder(folder, config, *files):
    folder.mkdir()
    (folder / "config.json").write_text(json.dumps(config))
    for name in files:
        (folder / name).write_bytes(b"")
    return str(folder)


@pytest.mark.parametrize("text", ["random", "imagenet"])
def test_knows_its_words(text):
    assert resolve_weights(text) == WeightsSource(text, text)


@pytest.mark.parametrize("text", ["bert_base_en_uncased", "kaggle://keras/bert", "hf://org/model"])
def test_leaves_hub_handles_to_the_hub(text):
    assert resolve_weights(text) == WeightsSource(text, "hub", text)


def test_finds_local_files_and_folders(tmp_path):
    file = tmp_path / "resnet.weights.h5"
    file.write_bytes(b"")
    assert resolve_weights(str(file)).kind == "file"
    keras_folder = _write_folder(tmp_path / "keras", {"registered_name": "BertBackbone"})
    assert resolve_weights(keras_folder) == WeightsSource(keras_folder, "folder", keras_folder)
    timm = _write_folder(tmp_path / "timm", {"architecture": "resnet50"}, "model.safetensors")
    assert resolve_weights(timm).kind == "folder"


def test_a_converted_folder_needs_safetensors(tmp_path):
    folder = _write_folder(tmp_path / "hf", {"model_type": "bert"}, "pytorch_model.bin")
    with pytest.raises(FileNotFoundError, match=r"model\.safetensors.*pytorch_model\.bin"):
        resolve_weights(folder)


def test_a_folder_without_config_is_no_preset(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"has a config\.json"):
        resolve_weights(str(tmp_path))


@pytest.mark.parametrize("text", ["./missing.h5", "~/missing", "weights.h5", "../preset"])
def test_names_the_whole_path_of_what_is_missing(text):
    with pytest.raises(FileNotFoundError, match=r"Weights not found: /.*package:all-minilm-l6-v2"):
        resolve_weights(text)


def test_lists_the_sources_for_anything_else():
    with pytest.raises(ValueError, match=r"'imagenet'; 'random'. Received: 'bert base'"):
        resolve_weights("bert base")


def test_logs_what_it_resolved(caplog):
    with caplog.at_level(logging.INFO, logger="trainer.weights"):
        resolve_weights("random")
    assert "Weights 'random': random" in caplog.text


@pytest.mark.pretrained
def test_logs_that_a_checksum_was_verified(caplog):
    with caplog.at_level(logging.INFO, logger="trainer.weights"):
        source = resolve_weights("package:all-minilm-l6-v2")
    assert source.kind == "folder"
    assert "checksum verified" in caplog.text
    assert resolve_weights("package:efficientnet-lite0").kind == "file"

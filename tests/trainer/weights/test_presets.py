import keras_hub
import numpy as np
import pytest

from trainer.weights.presets import load_backbone, load_pixel_scale, load_vocabulary
from trainer.weights.source import resolve_weights


def test_loads_a_local_preset_with_its_weights(tiny_bert):
    source = resolve_weights(tiny_bert)
    first, second = (load_backbone(source, "BertBackbone").get_weights() for _ in range(2))
    assert len(first) > 20
    # Random weights would differ from one load to the next.
    for a, b in zip(first, second, strict=True):
        np.testing.assert_array_equal(a, b)


def test_loads_the_vocabulary(tiny_bert):
    vocabulary, lowercase = load_vocabulary(resolve_weights(tiny_bert))
    assert vocabulary[:4] == ["[PAD]", "[UNK]", "[CLS]", "[SEP]"]
    assert "耳" in vocabulary
    assert lowercase is True


def test_refuses_a_preset_of_another_class(tiny_bert):
    with pytest.raises(ValueError, match="ResNetBackbone could not be loaded from the folder"):
        load_backbone(resolve_weights(tiny_bert), "ResNetBackbone")


def test_refuses_sources_that_are_no_presets():
    with pytest.raises(ValueError, match=r"BertBackbone needs a preset.*'random'"):
        load_backbone(resolve_weights("random"), "BertBackbone")


def test_suggests_the_right_preset_name():
    with pytest.raises(ValueError, match="Did you mean 'bert_base_en_uncased'"):
        load_backbone(resolve_weights("bert_base_en_uncaset"), "BertBackbone")


def test_says_what_to_use_when_the_hub_cannot_be_reached(monkeypatch):
    def unreachable(preset):
        raise OSError(f"no route to the hub of {preset}")

    monkeypatch.setattr(keras_hub.models.BertBackbone, "from_preset", unreachable)
    with pytest.raises(ConnectionError, match=r"no route.*package:all-minilm-l6-v2"):
        load_backbone(resolve_weights("bert_base_en_uncased"), "BertBackbone")


def test_a_preset_must_say_how_pixels_are_normalised(tiny_bert):
    with pytest.raises(ValueError, match="says how pixels are normalised"):
        load_pixel_scale(resolve_weights(tiny_bert))

import keras
import numpy as np
import pytest

from trainer.layers.modality_dropout import ModalityDropout

NAMES = ("image", "price", "text")
ROWS = 20_000


def all_present(rows=ROWS):
    return {name: np.ones(rows, bool) for name in NAMES}


def drop(layer, present, **options):
    shown = layer(present, training=True, **options)
    return {name: np.asarray(flags) for name, flags in shown.items()}


@pytest.mark.parametrize("rate", [0.1, 0.5])
def test_hides_each_input_as_often_as_asked(rate):
    shown = drop(ModalityDropout(rate, seed=1), all_present())
    # All three fall below the rate with rate**3; one of them, by symmetry each third, then stays.
    expected = rate - rate**3 / 3
    deviation = np.sqrt(expected * (1 - expected) / ROWS)
    for name in NAMES:
        assert (~shown[name]).mean() == pytest.approx(expected, abs=4 * deviation)


def test_one_always_stays_where_there_was_one():
    present = np.random.default_rng(0).random((3, ROWS)) < 0.5
    shown = drop(ModalityDropout(0.99), dict(zip(NAMES, present, strict=True)))
    after = np.stack([shown[name] for name in NAMES])
    assert not (after & ~present).any(), "what is absent came up"
    np.testing.assert_array_equal(after.any(axis=0), present.any(axis=0))
    assert after.sum() < 1.1 * present.any(axis=0).sum()


def test_changes_nothing_in_inference_or_without_a_rate():
    present = {name: np.random.default_rng(0).random(50) < 0.5 for name in NAMES}
    for layer, training in ((ModalityDropout(0.9), False), (ModalityDropout(0.0), True)):
        for name, flags in layer(present, training=training).items():
            np.testing.assert_array_equal(flags, present[name])


def test_the_only_input_of_a_model_is_never_hidden():
    assert drop(ModalityDropout(0.9), {"text": np.ones(100, bool)})["text"].all()


def test_same_seed_same_draws_and_every_step_new_ones():
    first, same, other = ModalityDropout(0.5, 1), ModalityDropout(0.5, 1), ModalityDropout(0.5, 2)
    draws = [drop(layer, all_present(200))["text"] for layer in (first, same, other, first)]
    np.testing.assert_array_equal(draws[0], draws[1])
    assert (draws[0] != draws[2]).any()
    assert (draws[0] != draws[3]).any()


def test_config_round_trip():
    layer = ModalityDropout(0.25, seed=7, name="d")
    restored = ModalityDropout.from_config(layer.get_config())
    assert (restored.rate, restored.seed, restored.name) == (0.25, 7, "d")


def test_works_inside_a_functional_model_and_a_file(tmp_path):
    inputs = {name: keras.Input([], dtype="bool", name=name) for name in NAMES}
    model = keras.Model(inputs, ModalityDropout(0.5)(inputs))
    model.save(tmp_path / "m.keras")
    loaded = keras.models.load_model(tmp_path / "m.keras")
    for name, flags in loaded(all_present(5), training=False).items():
        assert flags.dtype == "bool"
        assert flags.shape == (5,), name

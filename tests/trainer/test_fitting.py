import json

import numpy as np
import pandas as pd
import pytest

from trainer.config import Config, DataConfig, ModelConfig, TrainConfig
from trainer.fitting import _class_weights, _logit_offsets, encoder_files
from trainer.run import Run
from trainer.sample import Sample
from trainer.sampling import draw_rates

NAMES = ("Kitchen > Tea Pot", "Garden > Rake", "Lighting > Zebra Lamp")


def train(folder, taxonomy="", title="Zebra Lamp", **options):
    """Trains on two classes of a table of three, and answers the rows of the third."""
    titles = dict(zip(NAMES, ("Tea Pot", "Rake", title), strict=True))
    rows = [(name, f"{titles[name]} no{row}") for row in range(8) for name in NAMES]
    frame = pd.DataFrame(rows, columns=["label", "title"])
    frame["split"] = np.where(frame.label == NAMES[2], "test", "train")
    config = Config(
        data=DataConfig(
            label=("label",),
            label_separator=" > ",
            columns={"title": "text"},
            taxonomy=str(taxonomy),
        ),
        model=ModelConfig(encoders={"text": {"ngram": {"character_widths": (), "min_rows": 1}}}),
        train=TrainConfig(head_epochs=20, batch_size=8, **options),
    )
    run = Run(config, folder, source=frame, quiet=True)
    run.prepare(draw_splits=lambda labels, groups: frame["split"].to_numpy())
    return run, run.answer(run.fit(run.sample("train")), "test").labels


def test_a_class_without_rows_is_found_by_its_name(tmp_path):
    assert train(tmp_path)[1] == [NAMES[2]] * 8


def test_names_can_be_left_out(tmp_path):
    assert NAMES[2] not in train(tmp_path, class_names=False)[1]


def test_a_class_without_rows_is_found_by_a_synonym_and_counts_as_one_product(tmp_path):
    classes = [{"class": name} for name in NAMES]
    classes[2] |= {"synonyms": ["striped lantern"], "description": "Gives light."}
    taxonomy = tmp_path / "taxonomy.json"
    taxonomy.write_text(json.dumps({"classes": classes}))
    _, labels = train(tmp_path / "without", title="striped lantern")
    assert NAMES[2] not in labels
    run, labels = train(tmp_path / "with", taxonomy, title="striped lantern")
    assert labels == [NAMES[2]] * 8
    named, names = run.rows.names, run.catalogue.class_names
    assert [names[index] for index in named.class_ids] == [*sorted(NAMES)[:2], *[NAMES[2]] * 3]
    np.testing.assert_allclose(named.weights, [1, 1, 1 / 3, 1 / 3, 1 / 3])


def test_a_training_is_another_one_where_a_file_that_encoders_start_from_changes(tmp_path):
    path = tmp_path / "text.safetensors"
    path.write_bytes(b"one")
    encoders = {"text": {"bert": {"adapter": str(path), "weights": "package:none"}, "ngram": {}}}
    config = Config(model=ModelConfig(encoders=encoders))
    before = encoder_files(config)
    assert list(before) == [str(path)]
    path.write_bytes(b"other")
    assert encoder_files(config) != before
    of_folder = Config(model=ModelConfig(encoders={"text": {"bert": {"weights": str(tmp_path)}}}))
    assert encoder_files(of_folder) == encoder_files(config)


@pytest.mark.parametrize("scheme", ["none", "balanced", "effective"])
def test_class_weights_leave_the_rows_their_number(scheme):
    counts = np.array([90, 9, 0, 1])
    weights = _class_weights(counts, scheme)
    assert weights @ counts == pytest.approx(100, rel=1e-5)
    assert (np.diff(weights[[0, 1, 3]]) >= 0).all()


def test_effective_class_weights_are_those_of_the_paper():
    counts = np.array([90, 9, 1])
    beta = 1 - 1 / (counts.sum() / 3)
    expected = (1 - beta) / (1 - beta**counts)
    found = _class_weights(counts, "effective")
    np.testing.assert_allclose(found / found[0], expected / expected[0], rtol=1e-5)


def test_logit_offsets_are_log_shares():
    class_ids, ones = np.array([0, 0, 0, 1]), np.ones(4)
    offsets = _logit_offsets(ones, class_ids, 2, 0.5)
    np.testing.assert_allclose(offsets, 0.5 * np.log([0.75, 0.25]))
    assert _logit_offsets(ones, class_ids, 2, 0.0) is None
    # Balanced rows need no adjustment: all offsets are equal.
    weights = _class_weights(np.array([3, 1]), "balanced")[class_ids]
    assert np.ptp(_logit_offsets(weights, class_ids, 2, 1.0)) < 1e-6


def test_logit_offsets_are_of_the_classes_as_drawn():
    sample = Sample.of(np.arange(20), np.repeat([0, 1], [16, 4]))
    shares = {"rows": [0.8, 0.2], "square_root": [4 / 6, 2 / 6], "balanced": [0.5, 0.5]}
    for sampling, expected in shares.items():
        offsets = _logit_offsets(draw_rates(sample, sampling), sample.class_ids, 2, 1.0)
        np.testing.assert_allclose(offsets, np.log(expected))


@pytest.mark.parametrize("loss", ["focal", "generalised_crossentropy"])
def test_other_losses_learn_too(tmp_path, loss):
    assert train(tmp_path, loss=loss, sampling="balanced")[1] == [NAMES[2]] * 8


def test_options_of_a_loss_are_refused_before_training(tmp_path):
    with pytest.raises(ValueError, match=r"option of loss 'focal'.*\['gamma'\].*'gama'.*mean"):
        train(tmp_path, loss="focal", loss_options={"gama": 1.0})
    with pytest.raises(ValueError, match="q of the generalised cross-entropy"):
        train(tmp_path, loss="generalised_crossentropy", loss_options={"q": 2.0})
    assert not (tmp_path / "cache").exists()

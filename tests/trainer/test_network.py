import numpy as np
import pandas as pd
import pytest

from trainer.config import Config, DataConfig, ModelConfig, TrainConfig
from trainer.run import Run

NAMES = ("Kitchen > Tea Pot", "Garden > Rake", "Lighting > Zebra Lamp")


def train(folder, **options):
    """Trains on two classes of a table of three."""
    rows = [(name, f"{name.split(' > ')[1]} no{row}") for row in range(8) for name in NAMES]
    frame = pd.DataFrame(rows, columns=["label", "title"])
    frame["split"] = np.where(frame.label == NAMES[2], "test", "train")
    config = Config(
        data=DataConfig(label=("label",), label_separator=" > ", columns={"title": "text"}),
        model=ModelConfig(encoders={"text": {"ngram": {"character_widths": (), "min_rows": 1}}}),
        train=TrainConfig(head_epochs=20, batch_size=8, **options),
    )
    run = Run(config, folder, source=frame, quiet=True)
    run.prepare(draw_splits=lambda labels, groups: frame["split"].to_numpy())
    return run.answer(run.fit(eval_splits=()), "test")


def test_a_class_without_rows_is_found_by_its_name(tmp_path):
    assert train(tmp_path).labels == [NAMES[2]] * 8


def test_names_can_be_left_out(tmp_path):
    assert NAMES[2] not in train(tmp_path, class_names=False).labels


@pytest.mark.parametrize("class_names", [True, False])
def test_scores_are_probabilities(tmp_path, class_names):
    scores = train(tmp_path, class_names=class_names).scores
    np.testing.assert_allclose(scores.sum(axis=1), 1, rtol=1e-5)

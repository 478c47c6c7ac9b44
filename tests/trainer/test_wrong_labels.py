import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score

from trainer.config import Config, DataConfig, ModelConfig, TrainConfig
from trainer.run import Run
from trainer.wrong_labels import COLUMNS, cross_judge, rank_labels

WORDS = {
    "lamp": ["light", "bulb", "shade", "bright", "desk", "bedside"],
    "watch": ["wrist", "dial", "strap", "quartz", "steel", "hands"],
    "shirt": ["cotton", "sleeve", "collar", "button", "slim", "fit"],
}
WRONG = (4, 17, 31, 44)


@pytest.fixture(scope="module")
def judged(tmp_path_factory):
    rng = np.random.default_rng(0)
    true = [list(WORDS)[row % 3] for row in range(60)]
    labels = [list(WORDS)[(row + 1) % 3] if row in WRONG else true[row] for row in range(60)]
    # The numbers keep them from being near-duplicates.
    titles = [
        " ".join([*rng.choice(WORDS[name], 4), *map(str, rng.integers(10_000, 99_999, 4))])
        for name in true
    ]
    frame = pd.DataFrame({"id": [f"p{row}" for row in range(60)], "label": labels})
    frame["title"] = titles
    frame["price"] = [np.nan if row == 4 else 10.0 for row in range(60)]
    config = Config(
        data=DataConfig(label=("label",), columns={"title": "text", "price": "number"}),
        model=ModelConfig(encoders={"text": {"ngram": {}}, "number": {"piecewise": {}}}),
        train=TrainConfig(head_epochs=20, batch_size=16),
    )
    run = Run(config, tmp_path_factory.mktemp("clean"), source=frame, quiet=True)
    run.learned, fit = [], run.fit

    def note(sample):
        run.learned.append(sample.rows)
        return fit(sample)

    run.fit = note
    opinions = cross_judge(run, num_folds=3)
    return true, opinions, rank_labels(run, opinions), run


def test_wrong_labels_come_first(judged):
    true, _, frame, _ = judged
    assert list(frame.columns) == list(COLUMNS)
    rows = frame["id"].str[1:].astype(int)
    assert set(rows[: len(WRONG)]) == set(WRONG)
    assert roc_auc_score([row in WRONG for row in rows], -frame["label_quality"]) == 1
    for row, suggested in zip(rows[: len(WRONG)], frame["suggested_label"], strict=False):
        assert suggested == true[row]
    assert set(rows[frame["suspicious"]]) == set(WRONG)


def test_says_why(judged):
    true, _, frame, _ = judged
    why = dict(zip(frame["id"], frame["why"], strict=True))
    assert why["p4"].startswith(f"text says {true[4]} (0.")
    assert "price" not in why["p4"]  # it has none
    assert why["p0"] == "" or "text" not in why["p0"]


def test_absent_inputs_have_no_opinion(judged):
    _, opinions, _, _ = judged
    np.testing.assert_allclose(opinions.scores.sum(axis=1), 1, rtol=1e-5)
    absent = np.isnan(opinions.by_input["price"]).all(axis=1)
    assert np.flatnonzero(absent).tolist() == [4]


def test_the_second_round_learns_from_what_the_first_did_not_suspect(judged):
    *_, run = judged
    first, second = run.learned[:3], run.learned[3:]
    assert len(second) == 3
    for before, after in zip(first, second, strict=True):
        left_out = set(before) - set(after)
        assert left_out >= set(before) & set(WRONG)
        assert len(left_out) < 2 * len(WRONG)
        assert set(after) <= set(before)

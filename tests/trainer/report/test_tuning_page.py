from __future__ import annotations

import base64
import re

from trainer.report.figures.tuned_settings import draw_tuned_settings
from trainer.report.tuning_page import write_tuning_page
from trainer.search.space import Choice, Range
from trainer.search.trials import Trial

SPACE = (Range("train.l2", 0.1, 10.0, log=True), Choice("model.fusion", ("concat", "gated")))


def trial(l2, fusion, accuracy, error=""):
    figures = {"accuracy": accuracy, "macro_f1": 0.5, "log_loss": 1.25}
    settings = {"train.l2": l2, "model.fusion": fusion}
    return Trial("k", settings, {} if error else figures, 2.0, error)


TRIALS = [
    trial(1.0, None, 0.7),
    trial(0.5, "gated", 0.812),
    trial(9.0, "concat", 0, "ValueError: <script>alert(1)</script>"),
]


def test_page_shows_trials_the_best_and_what_comes_next(tmp_path):
    path = tmp_path / "tuning.html"
    write_tuning_page(
        path,
        space=SPACE,
        trials=TRIALS,
        objective="accuracy",
        measured_on="3-fold cross-validation.",
        next_command="taxofuse run --config 'a <b>.py'",
    )
    page = path.read_text(encoding="utf-8")
    assert "accuracy 0.812, where the configuration as it was has 0.7: 2 trials, 1 of them" in page
    rows = re.findall(r"<tr><th scope=\"row\".*?</tr>", page, re.S)
    assert [">0<" in rows[0], "1 (best)" in rows[1], ">2<" in rows[2]] == [True] * 3
    assert "–" in rows[0]
    assert all(cell in rows[1] for cell in (">0.5<", ">gated<", ">0.812<", ">1.25<", ">2.0<"))
    assert "&lt;script&gt;" in rows[2]
    assert "<script>alert" not in page
    assert "a &lt;b&gt;.py" in page
    assert page.count("<html") == page.count("</html>") == 1


def test_picture_has_a_panel_for_each_setting():
    uri = draw_tuned_settings(
        {"train.l2": [1.0, 0.5], "model.fusion": [None, "gated"], "c": [1, 2], "d": [1, 2]},
        ["train.l2"],
        [0.7, 0.8],
        "accuracy",
        best=1,
    )
    svg = base64.b64decode(uri.split(",")[1]).decode()
    assert all(f">{text}<" in svg for text in ("train.l2", "model.fusion", "gated", "accuracy"))

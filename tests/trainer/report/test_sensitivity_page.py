from __future__ import annotations

import base64
import re

from trainer.report.figures.sensitivity_bars import draw_sensitivity_bars
from trainer.report.sensitivity_page import write_sensitivity_page


def block(name, error, in_float=False, accuracy_loss=0.25):
    return {
        "name": name, "pattern": name, "num_layers": 2, "num_weights": 1000, "extra_bytes": 3000,
        "in_float": in_float, "agreement": 0.5, "accuracy_loss": accuracy_loss,
        "logit_error": error,
    }  # fmt: skip


def found(**changes):
    cost = {"weight_bytes": 2_500_000, "agreement": 0.75, "accuracy_loss": 0.125, "logit_error": 1}
    return {
        "num_rows": 1024, "num_labelled": 1000, "float_accuracy": 0.9, "keep_float": "<b>|x",
        "whole": cost, "mixed": {**cost, "agreement": 1.0, "accuracy_loss": -0.01},
        "blocks": [block("free", 0.25), block("<b>", 0.5, True)],
        **changes,
    }  # fmt: skip


def test_page_shows_the_worst_block_first_and_what_stays_in_float(tmp_path):
    path = tmp_path / "sensitivity.html"
    write_sensitivity_page(path, "shop", found())
    page = path.read_text(encoding="utf-8")
    assert "1 of 2 blocks stay in float: &lt;b&gt;." in page
    rows = re.findall(r"<tr><th scope=\"row\".*?</tr>", page, re.S)
    assert [("All blocks" in rows[0]), "Those left" in rows[1]] == [True, True]
    assert all(cell in rows[0] for cell in ("2.5&nbsp;MB", "75.0\u00a0%", "\u221212.5\u00a0points"))
    assert "+1.0\u00a0points" in rows[1]
    assert "&lt;b&gt;" in rows[2] and ">float<" in rows[2] and ">0.5<" in rows[2]
    assert ">free<" in rows[3] and ">8 bits<" in rows[3] and ">1,000<" in rows[3]
    assert "--keep-float &#39;&lt;b&gt;|x&#39;" in page or "--keep-float '&lt;b&gt;|x'" in page
    assert "1,024 rows, 1,000 of them with labels" in page


def test_without_labels_and_choice_the_page_says_less(tmp_path):
    path = tmp_path / "sensitivity.html"
    blocks = [block("only", 0.5, accuracy_loss=None)]
    whole = {**found()["whole"], "accuracy_loss": None}
    write_sensitivity_page(
        path,
        "shop",
        found(blocks=blocks, whole=whole, mixed=whole, float_accuracy=None, keep_float=""),
    )
    page = path.read_text(encoding="utf-8")
    assert "All 1 blocks are quantized" in page and "–" in page
    assert not any(of in page for of in ("Those left", "points", "--keep-float", "are right"))


def test_picture_names_each_block_and_what_the_colours_mean():
    def draw(blocks):
        return base64.b64decode(draw_sensitivity_bars(blocks).split(",")[1]).decode()

    svg = draw(found()["blocks"])
    shown = ("free", "&lt;b&gt;", "error of the logits", "MB more in float", "left in float")
    assert all(f">{text}<" in svg for text in shown)
    assert "left in float" not in draw([block("free", 0.25)])

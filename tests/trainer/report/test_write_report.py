from __future__ import annotations

import base64
import functools
import hashlib
import io
import os
import re
from collections import namedtuple
from html.parser import HTMLParser

import numpy as np
import pytest
from PIL import Image

from trainer.answers import Answers
from trainer.evaluate import count_confusions, evaluate_answers, evaluate_slices, evaluate_tail
from trainer.report.mistake import Mistake
from trainer.report.product_view import ProductView
from trainer.report.report_data import ReportData
from trainer.report.study_row import StudyRow
from trainer.report.write_report import render_report, write_report

Column = namedtuple("Column", "name kind reason")
EVIL = '<script>alert("x")</script><img src=x onerror=alert(1)>'
EMPTY_ELEMENTS = {"meta", "link", "img", "br"}


class Page(HTMLParser):
    """Collects elements, visible text and section ids, and checks that elements nest."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self._open: list[str] = []
        self.feed(html)
        assert self._open == []

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        if tag not in EMPTY_ELEMENTS:
            self._open.append(tag)

    def handle_endtag(self, tag):
        assert self._open.pop() == tag

    def handle_data(self, data):
        if self._open and self._open[-1] not in ("style", "script"):
            self.text += data

    def find(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.elements if name == tag]

    @property
    def sections(self) -> list[str | None]:
        return [attributes.get("id") for attributes in self.find("section")]


def make_answers(names: list[str], num_rows: int = 60) -> tuple[Answers, list[str]]:
    generator = np.random.default_rng(0)
    truth = generator.choice(names[:-1], num_rows).tolist()  # the last class never occurs
    scores = generator.dirichlet(np.ones(len(names)), num_rows)
    scores[:, -1] = 0  # nor is it answered
    scores[np.arange(num_rows), [names.index(label) for label in truth]] += 0.4
    scores /= scores.sum(axis=1, keepdims=True)
    answers = Answers(
        ids=[str(row) for row in range(num_rows)],
        class_names=names,
        scores=scores.astype(np.float32),
        present={"text": np.arange(num_rows) % 5 > 0},
        status=["ok"] * num_rows,
    )
    return answers, truth


def picture() -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (300, 200), "red").save(buffer, "PNG")
    return buffer.getvalue()


def whole_report(names: list[str], levels: list[str], text: str = "A lamp") -> ReportData:
    answers, truth = make_answers(names)
    present = ["present" if flag else "absent" for flag in answers.present["text"]]
    slices = {"needs both": {"accuracy": 0.5, "num_examples": 8}}
    better = {"needs both": {"accuracy": 0.75, "num_examples": 8}}
    return ReportData(
        title=f"products.csv {text}",
        metrics=evaluate_answers(answers, truth, levels),
        model=f"One model {text}",
        history=[
            {"stage": "head", "epoch": 1, "loss": 2.0, "eval_loss": 2.5, "accuracy": 0.4},
            {"stage": "all", "epoch": 1, "loss": 1.0, "eval_loss": None, "accuracy": 0.6},
        ],
        slices=evaluate_slices(answers, truth, {f"text {text}": present}),
        study=[
            StudyRow(("picture",), 0.6, 0.5, slices),
            StudyRow((text,), 0.7, 0.6, slices),
            StudyRow(("picture", text), 0.85, 0.8, better),
        ],
        study_note=text,
        confusions=count_confusions(answers, truth),
        mistakes=[
            Mistake("7", text, text, 0.9, 0.05, text, picture(), {text: text}, text),
            Mistake("8", "a", "b", 0.8, None, "", b"not a picture"),
        ],
        augmented={
            f"9 {text}": [
                ProductView(text, picture(), {text: text}),
                ProductView("", b"not a picture"),
            ]
        },
        columns=[Column(text, "text", text)],
        columns_left_out={text: text},
        rows_left_out={text: 3},
        spread=[(text, 8, 41, 0.625)],
        problem_rows=[("7", text)],
        split_sizes={"train": 480, "eval": 60, "test": 60},
        split_note=text,
        timings={text: 94.2},
        parameters={"network": {"trained": 1234, "all": 1234567}},
        config={"model": {"fusion": text}, "empty": {}},
        next_commands={"Predict": f"taxofuse predict --model '{text}'"},
    )


@functools.cache
def rendered(*levels: str) -> str:
    """Returns the whole report of a flat taxonomy or one of two levels."""
    return render_report(whole_report(FLAT if len(levels) == 1 else PATHS, list(levels)))


FLAT = ["chair", "lamp", "rug", "never"]
PATHS = ["Home > Lamp", "Home > Rug", "Office > Lamp", "Office > Never"]


@pytest.mark.parametrize("levels", [["kind"], ["room", "kind"]])
def test_report_shows_every_part_once_and_the_contents_lead_there(levels):
    page = Page(rendered(*levels))
    expected = ["result", "inputs", "levels", "classes", "confusion", "calibration", "slices"]
    expected += ["mistakes", "augmentation", "learning", "data", "run", "next"]
    if len(levels) == 1:
        expected.remove("levels")
    assert page.sections == expected
    links = [attributes["href"] for attributes in page.find("a")]
    assert links == [f"#{name}" for name in expected]


def test_unlabeled_rows_are_shown_by_the_class_that_they_were_given():
    cells = [f'<td class="number">{cell}</td>' for cell in ("8", "41", "62.5\u00a0%")]
    assert "".join(cells) in rendered("kind")


def test_headline_says_rows_accuracy_and_interval():
    metrics = whole_report(FLAT, ["kind"]).metrics
    text = Page(rendered("kind")).text
    assert f"{round(60 * metrics['accuracy'])} of 60 held-out products" in text
    low, high = metrics["accuracy_interval"]
    assert f"from {100 * low:.1f}\u00a0% to {100 * high:.1f}\u00a0%" in text
    assert "One row more or less is 1.7\u00a0points" in text


def test_study_says_what_fusion_gains_over_the_best_single_input():
    text = Page(rendered("kind")).text
    assert "best single input, A lamp: 70.0\u00a0%. +15.0\u00a0points" in text
    footer = text[text.index("All inputs over the best single one") :]
    assert re.findall(r"\+[\d.]+", footer)[:3] == ["+15.0", "+20.0", "+25.0"]


def test_text_of_products_and_configuration_is_never_markup():
    html = render_report(whole_report(FLAT, ["kind"], text=EVIL))
    page = Page(html)
    assert len(page.find("script")) == 1
    assert not any("onerror" in attributes for _, attributes in page.elements)
    assert page.text.count('<script>alert("x")</script>') > 10
    assert "&lt;script&gt;" in html


def test_class_names_are_never_markup_in_pictures():
    names = [EVIL, "$\\frac{1}{2", "电灯\x01", "never"]
    html = render_report(whole_report(names, ["kind"]))
    for svg in pictures(html):
        assert "<script" not in svg
        assert "\x01" not in svg
    assert any("$\\frac{1}{2" in svg and "电灯" in svg for svg in pictures(html))


def pictures(html: str) -> list[str]:
    encoded = re.findall(r'src="data:image/svg\+xml;base64,([^"]+)"', html)
    return [base64.b64decode(part).decode() for part in encoded]


def test_nothing_is_loaded_and_only_its_own_script_runs():
    html = rendered("room", "kind")
    page = Page(html)
    for tag, attributes in page.elements:
        for name in ("src", "href", "srcset", "data", "action", "poster"):
            value = attributes.get(name)
            assert value is None or value.startswith(("data:", "#")), (tag, name, value)
    style = html[html.index("<style>") : html.index("</style>")]
    assert "url(" not in style
    assert "@import" not in style
    for svg in pictures(html):
        assert set(re.findall(r'href="([^#])', svg)) <= {"d"}, "only fragments and data URIs"
    script = re.search(r"<script>(.*)</script>", html, re.DOTALL)
    assert script
    digest = base64.b64encode(hashlib.sha256(script[1].encode()).digest()).decode()
    policy = next(m["content"] for m in page.find("meta") if "http-equiv" in m)
    assert policy is not None
    assert "default-src 'none'" in policy
    assert f"script-src 'sha256-{digest}'" in policy


def test_pictures_have_alternatives_and_tables_have_captions_and_headings():
    page = Page(rendered("room", "kind"))
    assert all(attributes["alt"] for attributes in page.find("img"))
    assert len(page.find("caption")) == len(page.find("table")) > 8
    assert all(attributes.get("scope") for attributes in page.find("th"))


def test_mistakes_show_the_photo_or_say_that_there_is_none():
    html = rendered("kind")
    photos = re.findall(r'src="data:image/jpeg;base64,([^"]+)" alt="Photo of product 7"', html)
    assert Image.open(io.BytesIO(base64.b64decode(photos[0]))).size == (160, 107)
    text = Page(html).text
    assert text.count("no photo") == 2  # one of them is a view's
    assert "not a class of the model" in text


def test_products_and_their_views_stand_side_by_side():
    html = rendered("kind")
    section = html[
        html.index('<section id="augmentation">') : html.index('<section id="learning">')
    ]
    assert section.count('alt="Photo of 9 A lamp"') == 1
    text = Page(section).text
    assert (
        text.index("none: as it is")
        < text.index("A lamp", text.index("none"))
        < text.index("no text")
    )


def test_works_with_the_figures_alone():
    answers, truth = make_answers(FLAT)
    page = Page(render_report(ReportData("bare", evaluate_answers(answers, truth))))
    assert page.sections == ["result", "classes", "calibration"]


def test_a_perfect_model_has_no_mistakes_to_show():
    answers = Answers(["1", "2"], ["a", "b"], np.eye(2, dtype=np.float32), {}, ["ok", "ok"])
    data = ReportData(
        "perfect",
        evaluate_answers(answers, ["a", "b"]),
        confusions=count_confusions(answers, ["a", "b"]),
    )
    text = Page(render_report(data)).text
    assert "2 of 2 held-out products" in text
    assert "No product was put in a wrong class." in text


def test_says_which_rows_the_figures_leave_out():
    answers, truth = make_answers(FLAT)
    answers.status[0] = "image: broken"
    labels: list[str | None] = [*truth[:58], None, "new"]
    text = Page(render_report(ReportData("t", evaluate_answers(answers, labels)))).text
    assert "without a label: 1." in text
    assert "such as a broken picture: 1." in text
    assert "that the model does not know ('new'): 1." in text


def test_rare_classes_stand_beside_the_others():
    answers, truth = make_answers(FLAT)
    metrics = evaluate_answers(answers, truth)
    assert "Training rows a class" not in Page(render_report(ReportData("t", metrics))).text
    for counts, expected in (
        ({"chair": 21}, ["up to 20", "over 20"]),
        (dict.fromkeys(FLAT, 21), ["over 20"]),
    ):
        parts = evaluate_tail(metrics["per_class"], counts)
        text = Page(render_report(ReportData("t", {**metrics, **parts}))).text
        assert [size for size in ("up to 20", "over 20") if size in text] == expected
        assert f"{100 * parts['head']['accuracy']:.1f}\u00a0%" in text


def test_one_slice_of_all_rows_is_a_sentence_rather_than_a_table():
    answers, truth = make_answers(FLAT)
    slices = evaluate_slices(answers, truth, {"language": ["other"] * 60})
    data = ReportData("t", evaluate_answers(answers, truth), slices=slices)
    assert "All rows fall together here: language (other)." in Page(render_report(data)).text


def test_a_large_taxonomy_stays_small_and_says_what_it_leaves_out():
    names = [f"class {index}" for index in range(601)]
    answers, _ = make_answers(names, 600)
    truth = [names[row] for row in range(600)]
    data = ReportData(
        "large",
        evaluate_answers(answers, truth),
        confusions=count_confusions(answers, truth),
        mistakes=[Mistake(str(row), "a", "b", 0.9, 0.1, "long " * 9999) for row in range(24)],
    )
    html = render_report(data)
    assert len(html.encode()) < 1_000_000
    assert "500 of 600 classes, the others are in metrics.json" in html
    assert "Drawn are the 25 of 600 classes" in html


def test_the_same_data_gives_the_same_bytes():
    assert render_report(whole_report(PATHS, ["room", "kind"])) == rendered("room", "kind")


def test_file_appears_whole_or_not_at_all(tmp_path, monkeypatch):
    answers, truth = make_answers(FLAT)
    path = tmp_path / "new folder" / "report.html"
    write_report(path, ReportData("half a pair: \ud83d", evaluate_answers(answers, truth)))
    before = path.read_text(encoding="utf-8")
    assert before.rstrip().endswith("</html>")

    def fail(*_):
        raise OSError("disk full")

    monkeypatch.setattr(os, "replace", fail)
    with pytest.raises(OSError, match="disk full"):
        write_report(path, ReportData("second", evaluate_answers(answers, truth)))
    assert path.read_text(encoding="utf-8") == before
    assert [file.name for file in path.parent.iterdir()] == ["report.html"]

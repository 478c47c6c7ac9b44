import dataclasses
import json
from collections import Counter

import numpy as np
import pandas as pd
import pytest
import tensorflow as tf
from PIL import Image
from scipy.special import softmax

from trainer.attacks.victim import Victim
from trainer.data.examples import read_examples, row_ids
from trainer.data.pictures import open_picture, write_picture
from trainer.data.table import read_table
from trainer.data.words import take_words
from trainer.robustness import certificate
from trainer.robustness.certificate import certify_pictures
from trainer.robustness.gate import check_honesty
from trainer.robustness.measure import run_probes
from trainer.robustness.plan import build_plan
from trainer.robustness.probe import Bench, PictureAttack, draw_pixels
from trainer.robustness.subject import Subject, load_subject
from trainer.robustness.text_attack import TextAttack

ROWS = 24
GROUPS = {
    "Absent",
    "Of another product",
    "Scaled",
    "Picture corrupted",
    "Words changed at random",
}


@pytest.fixture(scope="module")
def bench(trained, shop):
    subject = load_subject(trained.folder)
    table = read_table(str(shop))
    table = dataclasses.replace(table, frame=table.frame.iloc[:ROWS])
    values = [of.values for of in read_examples(table, subject.card.inputs, row_ids(table))]
    paths = [" > ".join(pair) for pair in table.frame[["department", "category"]].to_numpy()]
    return Bench(subject, values, np.array([subject.card.class_names.index(of) for of in paths]))


@pytest.fixture(scope="module")
def assessed(trained, shop, call, tmp_path_factory):
    out = tmp_path_factory.mktemp("robustness")
    arguments = ["--model", trained.folder, "--data", shop, "--out", out, "--rows", ROWS]
    done = call("robustness", *arguments, folder=out)
    assert done.code == 0, done.stderr
    return arguments, done


def figures(summary):
    return {(of["group"], of["name"], of["shown"]): of["accuracy"] for of in summary["probes"]}


def test_the_command_writes_figures_and_a_page(assessed):
    _, done = assessed
    summary = json.loads((done.folder / "robustness.json").read_text())
    found = figures(summary)
    assert summary["num_rows"] == ROWS
    assert summary["num_trained_on"] > 0
    assert f"learned from {summary['num_trained_on']} of these rows" in done.stderr
    assert len(found) == len(summary["probes"])
    assert {key[0] for key in found} >= {
        "Absent",
        "Of another product",
        "Scaled",
        "Picture corrupted",
    }
    # Where a picture stands alone, it says at the end of the scale what the attack wants.
    alone = [
        found["Picture attacked, nothing else shown", "apgd_ce", f"{of}/255"] for of in (4, 64)
    ]
    assert alone[1] <= 0.1
    assert alone[1] < alone[0]
    words = "words left out, edited, exchanged"
    by_words = found["Text attacked", words, "15% of the words"]
    both = found["Picture and text attacked", words, "15% of the words, then apgd_ce at 4/255"]
    assert both <= by_words <= summary["clean"]["accuracy"]
    weakest = summary["together"]["Picture attacked in all ways, 4/255"]["accuracy"]
    assert weakest <= min(
        of for key, of in found.items() if key[::2] == ("Picture attacked", "4/255")
    )
    assert summary["honest"], summary["checks"]
    page = (done.folder / "robustness.html").read_text()
    assert "Can the attacks be believed?" in page
    assert page.count("data:image/jpeg") >= 2
    assert "apgd_targeted" in page


def test_the_same_call_goes_on_where_it_was(assessed, call):
    arguments, done = assessed
    before = json.loads((done.folder / "robustness.json").read_text())
    kept = sorted((done.folder / "probes").rglob("*.json"))
    assert len(kept) == len(before["probes"])
    values = json.loads(kept[0].read_text())
    kept[0].write_text(json.dumps({**values, "seconds": 1234.5}))
    kept[1].unlink()
    again = call("robustness", *arguments)
    assert again.code == 0, again.stderr
    after = json.loads((done.folder / "robustness.json").read_text())
    assert figures(after) == figures(before)
    assert 1234.5 in [of["seconds"] for of in after["probes"]]


def test_pixels_are_answered_as_products_are(bench):
    subject = bench.subject
    pictures = subject.pictures(bench.rows, bench.class_ids)
    scores = softmax(subject.victim.logits(pictures), axis=1)
    np.testing.assert_allclose(scores, subject.answer(bench.rows), atol=1e-5)


def test_only_the_picture_is_shown_where_it_stands_alone(bench):
    subject = bench.subject
    own = subject.picture_branch.input.name
    others = [spec.name for spec in subject.card.inputs if spec.name != own]
    alone = [{**row, **{name: subject.absent(name) for name in others}} for row in bench.rows]
    pictures = subject.pictures(bench.rows, bench.class_ids, others)
    scores = softmax(subject.victim.logits(pictures), axis=1)
    np.testing.assert_allclose(scores, subject.answer(alone), atol=1e-5)


def test_a_masked_network_does_not_pass_the_gate(bench, tmp_path):
    """Its pixels are rounded so that no gradient comes through, as a naive defence does."""
    honest = bench.subject.victim
    subject = Subject(bench.subject.card, bench.subject.branches, bench.subject.scorer)
    subject.victim = Victim(lambda pixels, beside: honest._score(tf.round(pixels), beside))
    masked = dataclasses.replace(bench, subject=subject)
    plan = [of for of in build_plan(subject.card.inputs, True) if isinstance(of, PictureAttack)]
    checks = check_honesty(masked, run_probes(masked, plan, tmp_path))
    failed = {check.name for check in checks if not check.passed}
    assert "The margin has a slope at every picture" in failed


def test_what_is_proved_holds_for_any_embedding(bench, monkeypatch):
    """The worst of a thousand directions comes near to what is proved, and never below."""
    subject = bench.subject
    arrays = subject.embed_pixels(subject.embed(bench.rows))
    name = subject.picture_branch.name
    rng = np.random.default_rng(0)
    logits, slopes = subject.slopes(arrays)
    np.testing.assert_allclose(logits, subject.pool(arrays), atol=1e-5)
    rows = np.arange(len(logits))
    assert certify_pictures(bench) is None  # its embeddings are of any length
    monkeypatch.setattr(certificate, "_has_unit_length", lambda subject: True)
    proved = certify_pictures(bench)
    worst = np.full(len(rows), np.inf)
    for rival in range(logits.shape[1]):
        towards = slopes[:, rival] - slopes[rows, bench.class_ids]
        for noise in (0.0, 0.3, 1.0):
            drawn = towards + noise * rng.normal(size=towards.shape) * np.abs(towards).max()
            drawn /= np.maximum(np.linalg.norm(drawn, axis=1, keepdims=True), 1e-9)
            found = subject.pool({**arrays, name: drawn.astype(np.float32)})
            own = found[rows, bench.class_ids].copy()
            found[rows, bench.class_ids] = -np.inf
            worst = np.minimum(worst, own - found.max(axis=1))
    np.testing.assert_array_equal(proved, worst > 1e-3)
    assert 0 < proved.sum() < len(rows)


def test_a_picture_reaches_no_farther_than_it_was_told(
    shop, bench, run_arguments, call, tmp_path_factory
):
    """What is proved holds for pictures that say anything, and all that the attack turns is not."""
    workdir = tmp_path_factory.mktemp("runs") / "reach"
    done = call(*run_arguments(shop, workdir), "--set", "model.reach.tiny_image=3", folder=workdir)
    assert done.code == 0, done.stderr
    subject = load_subject(workdir)
    own = Bench(subject, bench.rows, bench.class_ids)
    arrays = subject.embed_pixels(subject.embed(bench.rows))
    name, rows = subject.picture_branch.name, np.arange(len(bench.rows))
    answers = subject.pool(arrays)
    proved = certify_pictures(own)
    assert 0 < proved.sum() < len(rows)
    rng, worst = np.random.default_rng(0), np.full(len(rows), np.inf)
    for _ in range(300):
        drawn = 100 * rng.normal(size=arrays[name].shape)
        found = subject.pool({**arrays, name: drawn.astype(np.float32)})
        assert np.ptp(found - answers, axis=1).max() <= 2 * 3 + 1e-3
        true = found[rows, bench.class_ids].copy()
        found[rows, bench.class_ids] = -np.inf
        worst = np.minimum(worst, true - found.max(axis=1))
    np.testing.assert_array_equal(proved, worst > 1e-3)


def test_an_export_alone_is_refused(trained, shop, call, tmp_path):
    export = trained.folder / "export" / "1"
    done = call("robustness", "--model", export, "--data", shop, "--out", tmp_path)
    assert done.code == 2
    assert "Give the workdir" in done.stderr


def test_labels_that_the_model_does_not_know_are_refused(trained, shop, call, tmp_path):
    frame = pd.read_csv(shop, dtype=str, keep_default_na=False)
    frame["category"] = "unheard of"
    frame.to_csv(shop.with_name("unknown.csv"), index=False)
    arguments = ["--model", trained.folder, "--data", shop.with_name("unknown.csv")]
    done = call("robustness", *arguments, "--out", tmp_path)
    assert done.code == 2
    assert "No row has a label that the model knows" in done.stderr


def test_words_that_decide_are_found_and_no_more_than_allowed_are_changed(bench):
    """Only the text is shown: a few words decide, and those are the ones that are changed."""
    probe = TextAttack(group="text", name="words", share=0.3, alone=True)
    outcome = probe.run(bench, lambda rows: None)
    name = next(spec.name for spec in bench.subject.card.inputs if spec.kind == "text")
    others = [spec.name for spec in bench.subject.card.inputs if spec.name != name]
    alone = [bench.subject.hide(row, others) for row in bench.rows]
    before = bench.subject.answer(alone).argmax(axis=1) == bench.class_ids
    after = outcome.answers == bench.class_ids
    assert after.sum() < before.sum()
    for row, product in enumerate(bench.rows):
        words = take_words(product[name].decode())
        changed = outcome.changed[row]
        assert {key: changed[key] for key in others} == {key: product[key] for key in others}
        left = take_words(changed[name].decode())
        lost = sum((Counter(words) - Counter(left)).values())
        assert lost <= max(1, int(0.3 * len(words)))


@pytest.mark.parametrize(
    ("size", "expected"), [((40, 10), (16, 4)), ((1000, 1), (16, 4)), ((9, 9), (8, 8))]
)
def test_attacked_pixels_are_shown_in_the_proportions_of_the_picture(size, expected):
    pixels = np.full((8, 8, 3), 99.6, np.float32)
    drawn = open_picture(draw_pixels(pixels, write_picture(Image.new("RGB", size))))
    assert drawn.size == expected
    assert np.asarray(drawn)[0, 0].tolist() == [100, 100, 100]

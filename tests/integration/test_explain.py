"""`taxofuse explain`, from a trained model to the page and the data."""

from __future__ import annotations

import json
import shutil

import numpy as np
import pandas as pd
import pytest
import tensorflow as tf

from trainer.artefact import find_export

IDS = ["p05", "p03", "p07", "p13"]  # complete, without a picture, without a title, broken


@pytest.fixture(scope="module")
def table(shop, tmp_path_factory):
    folder = tmp_path_factory.mktemp("asked")
    frame = pd.read_csv(shop, dtype=str, keep_default_na=False)
    shutil.copytree(shop.parent / "pictures", folder / "pictures")
    frame.loc[frame["id"] == "p13", "picture"] = "pictures/broken.jpg"
    (folder / "pictures" / "broken.jpg").write_bytes(b"no picture")
    frame.to_csv(folder / "products.csv", index=False)
    return folder / "products.csv"


@pytest.fixture(scope="module")
def told(trained, table, call, tmp_path_factory):
    out = tmp_path_factory.mktemp("why")
    ids = ",".join(IDS)
    done = call(
        "explain", "--model", trained.folder, "--data", table, "--ids", ids, "--out", out,
        folder=out,
    )  # fmt: skip
    assert done.code == 0, done.stderr
    return done


@pytest.fixture(scope="module")
def products(told):
    return json.loads((told.folder / "explanations.json").read_text())["products"]


def test_prints_the_page(told):
    assert told.stdout.strip() == str(told.folder / "explanations.html")
    assert "Explaining" in told.stderr


def test_data_are_in_the_order_of_the_ids_and_agree_with_predict(
    trained, table, products, call, tmp_path
):
    assert [of["id"] for of in products] == IDS
    done = call("predict", "--model", trained.folder, "--data", table, "--out", tmp_path / "a.csv")
    assert done.code == 0
    answers = pd.read_csv(tmp_path / "a.csv").set_index("id")
    for of in products:
        assert of["label"] == answers.loc[of["id"], "label"]
        assert of["confidence"] == pytest.approx(answers.loc[of["id"], "confidence"], abs=1e-5)
        assert of["status"] == answers.loc[of["id"], "status"]
    assert "broken.jpg" in products[3]["status"]


def test_shares_are_parts_of_a_whole(products):
    for of in products:
        assert sum(map(abs, of["shares"].values())) == pytest.approx(1, abs=1e-5)
        assert of["evidence"] > 0
    regions = {of["id"]: np.array(of["regions"]["image_bytes"]) for of in products}
    assert regions["p05"].shape == (8, 8)
    assert np.abs(regions["p05"]).max() > 0
    for name in ("p03", "p13"):
        assert not regions[name].any()
        assert products[IDS.index(name)]["shares"]["image_bytes"] == 0


def test_words_are_those_of_the_text(products, table):
    frame = pd.read_csv(table, dtype=str, keep_default_na=False).set_index("id")
    for of in products:
        row = frame.loc[of["id"]]
        found = [word["word"] for word in of["words"]["text"]]
        assert found == f"{row['title']} {row['description']}".split()
        assert any(word["score"] > 0 for word in of["words"]["text"])


def test_the_page_shows_all_and_loads_nothing(told):
    page = (told.folder / "explanations.html").read_text()
    assert page.count('alt="Heat map: ') == 2
    assert page.count("no picture") == 2
    for text in ("p05", "Most for it", "For it:", "broken.jpg", "confidence"):
        assert text in page
    assert "http" not in page.replace("http-equiv", "")


def test_unknown_ids_are_named(trained, table, call, tmp_path):
    done = call(
        "explain", "--model", trained.folder, "--data", table, "--ids", "p05,zz,p99",
        "--out", tmp_path / "why",
    )  # fmt: skip
    assert done.code != 0
    assert "No row of the table has the id 'p99', 'zz'" in done.stderr
    assert not (tmp_path / "why").exists()


def test_takes_an_export_alone(trained, table, call, tmp_path):
    model = find_export(trained.folder)
    done = call("explain", "--model", model, "--data", table, "--ids", "p00", "--out", tmp_path)
    assert done.code == 0, done.stderr
    assert (tmp_path / "explanations.html").is_file()


@pytest.fixture(scope="module")
def older(trained, tmp_path_factory):
    """Returns a workdir whose export has only the first signature, and says nothing of rows."""
    workdir = tmp_path_factory.mktemp("older") / "run"
    shutil.copytree(trained.folder, workdir, ignore=shutil.ignore_patterns("cache", "logs"))
    path = find_export(workdir)
    loaded = tf.saved_model.load(str(path))
    serve = loaded.signatures["serving_default"]
    specs = dict(serve.structured_input_signature[1])

    def answer(**raw):
        found = serve(**raw)
        return {name: found[name] for name in ("label", "confidence", "scores", "labels")}

    signature = tf.function(answer).get_concrete_function(**specs)
    extra = shutil.copytree(path / "assets.extra", tmp_path_factory.mktemp("extra") / "x")
    shutil.rmtree(path)
    loaded.again = signature
    tf.saved_model.save(loaded, str(path), signatures={"serving_default": signature})
    shutil.copytree(extra, path / "assets.extra")
    return workdir


def test_an_older_export_says_how_to_export_again(older, table, call, tmp_path):
    done = call("explain", "--model", older, "--data", table, "--ids", "p05", "--out", tmp_path)
    assert done.code != 0
    assert "taxofuse export --model WORKDIR --out DIR" in done.stderr
    answers = tmp_path / "answers.csv"
    assert call("predict", "--model", older, "--data", table, "--out", answers).code == 0
    assert "broken.jpg" in pd.read_csv(answers).set_index("id").loc["p13", "status"]


def test_an_older_export_can_be_exported_again(older, trained, table, call, tmp_path):
    done = call("export", "--model", older, "--out", tmp_path / "models")
    assert done.code == 0, done.stderr
    shares = []
    for model in (tmp_path / "models", trained.folder):
        arguments = ["--data", table, "--ids", "p05", "--out", tmp_path]
        done = call("explain", "--model", model, *arguments)
        assert done.code == 0, done.stderr
        told = json.loads((tmp_path / "explanations.json").read_text())["products"][0]
        shares.append(told["shares"])
    assert shares[0] == pytest.approx(shares[1], abs=1e-5)

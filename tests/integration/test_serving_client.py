"""The client and the bulk job against the embedded server, a process of its own."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from serving.client import Client
from trainer.artefact import ModelCard, find_export
from trainer.data.table import read_table
from trainer.predictor import Predictor
from trainer.provenance import read_run

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def urls(served):
    """Returns the addresses of the server by protocol."""
    rest, _, _ = served["REST"].partition("/v1/")
    return {"rest": rest, "grpc": f"grpc://{served['gRPC']}"}


@pytest.mark.parametrize("protocol", ["rest", "grpc"])
def test_a_server_answers_a_table_as_the_model_does(urls, protocol, trained, shop, call, tmp_path):
    frame = pd.read_csv(shop, dtype=str, keep_default_na=False)
    frame.loc[0, "picture"], frame.loc[1, "price"] = "nowhere.jpg", "cheap"
    columns = ["title", "description", "price", "colour", "picture"]
    frame.loc[2, columns] = ""
    table = shop.with_name(f"served_{protocol}.csv")
    frame.to_csv(table, index=False)
    for name, asked in (("m", ["--model", trained.folder]), ("s", ["--server", urls[protocol]])):
        out = tmp_path / f"{name}.csv"
        done = call("predict", *asked, "--data", table, "--out", out, "--sure", "0.7")
        assert done.code == 0, done.stderr
        assert read_run(out) == ModelCard.load(find_export(trained.folder)).run
    found, expected = (pd.read_csv(tmp_path / f"{n}.csv", keep_default_na=False) for n in "sm")
    assert list(found.columns) == list(expected.columns)
    np.testing.assert_allclose(found["confidence"], expected["confidence"], atol=1e-5)
    for column in found.columns.drop("confidence"):
        assert found[column].tolist() == expected[column].tolist(), column
    assert "nowhere.jpg" in found["status"][0]
    assert found["status"][2] == "nothing to go by"


@pytest.mark.parametrize("protocol", ["rest", "grpc"])
def test_products_are_answered_explained_and_embedded(urls, protocol, trained, shop):
    table = read_table(shop)
    answers, embeddings = Predictor(trained.folder).embed(table)
    kept = ["title", "description", "price", "colour", "picture"]
    products = [
        {
            name: shop.parent / row[name] if name == "picture" and row[name] else row[name]
            for name in kept
        }
        for row in table.frame.iloc[:12].to_dict("records")
    ]
    with Client(urls[protocol]) as client:
        found = client.predict_many(products, batch=5, progress=False)
        for row, answer in enumerate(found):
            assert answer.label == answers.labels[row]
            scores = dict(zip(answers.class_names, answers.scores[row].tolist(), strict=True))
            assert answer.scores == pytest.approx(scores, abs=1e-5)
            assert answer.status == "ok"
        vectors = client.features(products)
        lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
        np.testing.assert_allclose(vectors / lengths, embeddings[:12], atol=1e-4)
        explanation = client.explain(products[0])
        assert explanation.label == found[0].label
        assert explanation.confidence == pytest.approx(found[0].confidence, abs=1e-5)
        assert set(explanation.shares) == {spec.name for spec in client.card().inputs}
        [regions] = explanation.regions.values()
        assert regions.ndim == 2
        said = " ".join(word for word, _ in explanation.words["text"]).lower()
        assert products[0]["title"].split()[0] in said
        bad = client.predict({"picture": b"no picture", "title": "desk lamp"})
        assert "picture" in bad.status
        assert bad.is_answered


def test_a_load_is_measured(urls, shop, call, tmp_path):
    arguments = ["--data", shop, "--rate", "20", "--seconds", "2", "--out", tmp_path / "load"]
    done = call("load", "--server", urls["grpc"], *arguments)
    assert done.code == 0, done.stderr
    assert (tmp_path / "load" / "load.svg").is_file()
    assert "left out" not in done.stderr

from __future__ import annotations

import io
import json
import math
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from serving.client.scorer import connect
from trainer.answering import answer_table
from trainer.cli import main
from trainer.data.table import read_table

ROOT = Path(__file__).parents[3]
ROWS = 30


@pytest.fixture
def table(tmp_path):
    """Returns the path of a table with pictures, one of them broken, and bad prices."""
    picture = io.BytesIO()
    Image.new("RGB", (8, 6), (9, 99, 199)).save(picture, "JPEG")
    (tmp_path / "a.jpg").write_bytes(picture.getvalue())
    (tmp_path / "b.jpg").write_bytes(b"<html>")
    rows = [
        {
            "id": f"p{i}",
            "image": ["a.jpg", "b.jpg", ""][i % 3],
            "title": f"mug {i}",
            "price": "cheap" if i == 5 else str(i),
        }
        for i in range(ROWS)
    ]
    path = tmp_path / "t.csv"
    pd.DataFrame(rows).to_csv(path, index=False)
    return path


def predict(url, table, out, *more):
    return main(["predict", "--server", url, "--data", str(table), "--out", str(out), *more])


def test_a_table_is_answered_as_the_contract_says(url, table, tmp_path, capsys, fake):
    out = tmp_path / "a.csv"
    code = predict(url, table, out, "--batch-size", "7", "--sure", "0.6")
    said = capsys.readouterr()
    assert code == 0, said.err
    assert said.out == f"{out}\n"
    assert "no column 'description'" in said.err
    frame = pd.read_csv(out, keep_default_na=False)
    columns = ["id", "label", "confidence", "status", "category", "subcategory", "sure_label"]
    assert list(frame.columns) == columns
    assert frame["id"].tolist() == [f"p{i}" for i in range(ROWS)]
    picture = (tmp_path / "a.jpg").read_bytes()
    for i, row in frame.iterrows():
        price = math.nan if i == 5 else float(i)
        scores = fake.scores_of(picture if i % 3 == 0 else b"", f"mug {i}".encode(), price)
        assert row["label"] == fake.CLASSES[scores.argmax()]
        assert row["confidence"] == pytest.approx(scores.max(), abs=1e-6)
        assert ("b.jpg" in row["status"]) == (i % 3 == 1)
        assert ("not a number" in row["status"]) == (i == 5)


def test_both_protocols_say_the_same(server, table):
    found = []
    for url in (server.rest, server.grpc):
        with connect(url) as scorer:
            found.append(answer_table(scorer, read_table(table), 8).answers.scores)
    np.testing.assert_allclose(*found, atol=1e-6)


def test_rows_without_an_answer_are_said_and_the_others_kept(url, server, table, tmp_path, capsys):
    server.refuse("INTERNAL", "worker lost")
    out = tmp_path / "a.jsonl"
    code = predict(url, table, out, "--batch-size", "4", "--in-flight", "1")
    assert code == 1
    said = capsys.readouterr()
    assert "4 of 30 rows have no answer" in said.err
    assert "'p0'" in said.err
    rows = [json.loads(line) for line in out.read_text("utf-8").splitlines()]
    assert len(rows) == ROWS
    assert [row["label"] == "" for row in rows] == [True] * 4 + [False] * 26
    assert "worker lost" in rows[0]["status"]
    assert rows[0]["confidence"] is None


def test_a_server_that_was_away_for_a_while_costs_nothing(url, server, table, tmp_path, capsys):
    server.refuse("UNAVAILABLE", "starting", times=8)
    assert predict(url, table, tmp_path / "a.csv", "--in-flight", "2") == 0
    assert not (pd.read_csv(tmp_path / "a.csv")["status"].str.contains("not answered")).any()


def test_a_server_that_stays_away_is_given_up(server, table, tmp_path, capsys):
    out = tmp_path / "a.csv"
    server.refuse("UNAVAILABLE", "down", times=10_000)
    more = ("--deadline", "0.3", "--in-flight", "2", "--batch-size", "3")
    assert predict(server.grpc, table, out, *more) == 1
    frame = pd.read_csv(out, keep_default_na=False)
    assert frame["status"].str.startswith("not answered: ").all()
    assert frame["status"].str.contains("not asked, after: UNAVAILABLE").sum() >= ROWS - 4 * 3


def test_batches_beyond_the_card_are_cut(server, table):
    with connect(server.grpc) as scorer:
        assert not answer_table(scorer, read_table(table), 20).failures
    sizes = [rows["text"] for name, rows in server.requests if name == "serving_default"]
    assert sorted(sizes) == [2, 4, 8, 8, 8]


def test_another_model_under_the_same_name_is_found_out(server, table):
    with connect(server.rest, in_flight=1) as scorer:
        server.card = {**server.card, "class_names": ["x", "y", "z"]}
        found = answer_table(scorer, read_table(table), 16)
    assert len(found.failures) == ROWS
    assert "a model with other classes" in found.failures[0]


def test_a_model_without_card_is_refused(serve, table, tmp_path, capsys):
    assert predict(serve(with_card=False).rest, table, tmp_path / "a.csv") == 1
    assert "no signature `health`" in capsys.readouterr().err
    assert not (tmp_path / "a.csv").exists()


@pytest.mark.parametrize("given", [[], ["--model", "m", "--server", "http://h:1"]])
def test_exactly_one_of_model_and_server(given, capsys):
    with pytest.raises(SystemExit) as stopped:
        main(["predict", *given, "--data", "t.csv", "--out", "a.csv"])
    assert stopped.value.code == 2
    assert "--server" in capsys.readouterr().err


def test_a_wrong_address_is_a_wrong_call(table, tmp_path, capsys):
    assert predict("localhost:8501", table, tmp_path / "a.csv") == 2
    assert "must be like http://host:8501" in capsys.readouterr().err


def test_tensorflow_is_not_loaded(server, table, tmp_path):
    code = (
        "import sys; from trainer.cli import main; code = main(sys.argv[1:]);"
        "sys.exit(code or 5 * ('tensorflow' in sys.modules or 'keras' in sys.modules))"
    )
    arguments = ["predict", "--server", server.grpc, "--data", table, "--out", tmp_path / "a.csv"]
    command = [sys.executable, "-c", code, *map(str, arguments)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_interrupted_work_ends_its_threads(server, table):
    with connect(server.grpc) as scorer:
        found = scorer.score([{"image_bytes": b"", "text": b"a", "price": 1.0}] for _ in range(50))
        next(found)
        found.close()
    names = [thread.name for thread in threading.enumerate()]
    assert not [name for name in names if name.startswith("serving-client")]

"""Whoever does the shards, the same is made; a killed worker costs nothing but time.

Needs Apache Beam and Dask: `make test-beam`.
"""

import dataclasses
import os
import signal
import threading
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from components.bulk_inferrer.component import COMPONENT as BULK_INFERRER
from components.bulk_inferrer.executor import execute as infer
from components.evaluator.component import COMPONENT as EVALUATOR
from components.evaluator.executor import execute as evaluate
from components.example_gen.component import COMPONENT as EXAMPLE_GEN
from components.example_gen.executor import execute as generate
from components.examples import read_examples
from components.shards import VARIABLE
from components.transform.component import COMPONENT as TRANSFORM
from components.transform.executor import execute as transform
from trainer.config import ModelConfig, load_config

pytest.importorskip("apache_beam")
distributed = pytest.importorskip("distributed")

ROOT = Path(__file__).parents[2]
WORDS = [f"word{index}" for index in range(300)]
SPLITS = ("train", "eval", "test", "unlabeled")


def write_products(folder, rows):
    """Writes a table and a small picture a row; returns the path of the table."""
    rng = np.random.default_rng(0)
    (folder / "pictures").mkdir(parents=True)
    titles = rng.integers(0, len(WORDS), (rows, 9))
    for row in range(rows):
        pixels = Image.fromarray(rng.integers(0, 255, (4, 4, 3), np.uint8))
        pixels.resize((16, 16), Image.Resampling.NEAREST).save(folder / f"pictures/{row}.png")
    frame = pd.DataFrame(
        {
            "id": [f"p{row}" for row in range(rows)],
            "title": [" ".join(WORDS[word] for word in own) for own in titles],
            "description": [" ".join(WORDS[word] for word in own[::-1]) for own in titles],
            "price": rng.uniform(1, 500, rows).round(2),
            "colour": rng.choice(["red", "blue", "white"], rows),
            "picture": [f"pictures/{row}.png" if row % 50 else "" for row in range(rows)],
            "category": [f"class {row % 7}" for row in range(rows)],
        }
    )
    frame.to_csv(folder / "products.csv", index=False)
    return folder / "products.csv"


@pytest.fixture(scope="module")
def cluster():
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(ROOT), prepend=":")
        with distributed.LocalCluster(
            n_workers=2, threads_per_worker=1, processes=True, dashboard_address="127.0.0.1:0"
        ) as cluster:
            yield cluster


@pytest.fixture(params=["beam", "dask"])
def engine(request):
    if request.param == "beam":
        return "beam"
    return f"beam:dask:{request.getfixturevalue('cluster').scheduler_address}"


@pytest.fixture
def run(tmp_path, monkeypatch):
    """Returns a function that runs a component with an engine, and returns what it made."""
    made = []

    def go(execute, component, output, engine, inputs=None, **parameters):
        out, scratch = tmp_path / f"out-{len(made)}", tmp_path / f"scratch-{len(made)}"
        made.append(out)
        outputs = {output: out} if isinstance(output, str) else {of: out / of for of in output}
        for folder in (*outputs.values(), scratch):
            folder.mkdir(parents=True)
        go.scratch = scratch
        monkeypatch.setenv(VARIABLE, engine)
        execute(inputs or {}, outputs, component.make_parameters(parameters), scratch)
        files = (path for path in out.rglob("*") if path.is_file())
        go.folder = out
        return {path.relative_to(out).as_posix(): path.read_bytes() for path in files}

    return go


def ingest(run, table, engine, **parameters):
    settings = {"table": str(table), "label": ["category"], **parameters}
    return run(generate, EXAMPLE_GEN, "examples", engine, **settings)


def answer(run, table, engine, model, **parameters):
    settings = {"table": str(table), **parameters}
    return run(infer, BULK_INFERRER, "inference_result", engine, {"model": model}, **settings)


@pytest.mark.parametrize("exact_rows", [50_000, 10])
def test_the_same_examples(run, engine, tmp_path, exact_rows):
    table = write_products(tmp_path / "products", 200)
    parameters = {"rows_per_shard": 30, "exact_rows": exact_rows}
    expected = ingest(run, table, "local", **parameters)
    assert len(expected) > 15
    assert ingest(run, table, engine, **parameters) == expected


def test_the_same_answers(run, engine, trained, shop):
    expected = answer(run, shop, "local", trained.folder, rows_per_shard=20)
    assert len(expected) == 4
    assert answer(run, shop, engine, trained.folder, rows_per_shard=20) == expected


def test_what_is_wrong_is_told_alike(run, engine, tmp_path, trained):
    table = write_products(tmp_path / "products", 40)
    lines = table.read_text().splitlines()
    table.write_text("\n".join([*lines, "broken"]) + "\n")
    with pytest.raises(ValueError, match="Every row needs as many cells as the header"):
        ingest(run, table, engine)


def test_the_same_features(run, engine, tmp_path, tiny_bert):
    table = write_products(tmp_path / "products", 40)
    config = load_config("tiny")
    encoders = {
        "text": {"bert": {"weights": tiny_bert, "max_tokens": 16}, "ngram": {}},
        "image": {},
        "number": {},
    }
    config = dataclasses.replace(config, model=ModelConfig(encoders=encoders))
    ingest(
        run, table, "local", columns={"description": "text"}, ignore=["picture", "colour", "price"]
    )
    inputs = {"examples": run.folder}
    outputs = ("transform_graph", "transformed_examples")

    def features(engine):
        made = run(transform, TRANSFORM, outputs, engine, inputs, config=dataclasses.asdict(config))
        return {name: content for name, content in made.items() if "features" in name}

    expected = features("local")
    assert any("bert" in name for name in expected)
    assert features(engine) == expected


def test_the_same_verdict(run, engine, trained, shop):
    label = ["department", "category"]
    ingest(run, shop, "local", label=label, columns={"shelf": "ignored"})
    inputs = {"examples": run.folder, "model": trained.folder}
    inputs |= {"baseline": None, "earlier_examples": None}
    outputs = ("evaluation", "blessing")
    expected = run(evaluate, EVALUATOR, outputs, "local", inputs, split="train")
    assert "evaluation/answers.csv" in expected
    assert run(evaluate, EVALUATOR, outputs, engine, inputs, split="train") == expected


@pytest.fixture(scope="module")
def ten_thousand(tmp_path_factory):
    return write_products(tmp_path_factory.mktemp("many") / "products", 10_000)


@pytest.fixture
def killer(cluster):
    """Returns a function that kills a worker as soon as some shards are noted in a folder."""
    ended = threading.Event()
    killed = []

    def watch(find_notes, count):
        while not ended.wait(0.02):
            notes = find_notes()
            if notes.is_dir() and len(list(notes.glob("[!.]*"))) >= count:
                with distributed.Client(cluster) as client:
                    pid = next(iter(client.run(os.getpid).values()))
                os.kill(pid, signal.SIGKILL)
                killed.append(len(list(notes.glob("[!.]*"))))
                return

    threads = []

    def start(find_notes, count):
        threads.append(threading.Thread(target=watch, args=(find_notes, count)))
        threads[-1].start()
        return killed

    yield start
    ended.set()
    for thread in threads:
        thread.join()


def test_a_worker_killed_in_ingestion_loses_no_product(run, cluster, killer, ten_thousand):
    dask = f"beam:dask:{cluster.scheduler_address}"
    parameters = {"rows_per_shard": 250, "exact_rows": 1000}
    expected = ingest(run, ten_thousand, "local", **parameters)
    run.scratch = None

    def notes():
        place = run.scratch or Path("none")
        return place / "examples" / "notes"

    killed = killer(notes, 10)
    found = ingest(run, ten_thousand, dask, **parameters)
    assert killed and killed[0] < 40
    assert found == expected
    ids = [example.id for split in SPLITS for example in read_examples(run.folder, split)]
    assert sorted(ids) == sorted(f"p{row}" for row in range(10_000))


def test_a_worker_killed_in_inference_loses_no_answer(run, cluster, killer, trained, ten_thousand):
    dask = f"beam:dask:{cluster.scheduler_address}"
    expected = answer(run, ten_thousand, "local", trained.folder, rows_per_shard=250)
    run.scratch = None
    killed = killer(lambda: (run.scratch or Path("none")) / "notes", 10)
    found = answer(run, ten_thousand, dask, trained.folder, rows_per_shard=250)
    assert killed and killed[0] < 40
    assert found == expected
    frames = [pd.read_parquet(path) for path in sorted(run.folder.iterdir())]
    assert pd.concat(frames)["id"].tolist() == [f"p{row}" for row in range(10_000)]


def test_the_cluster_is_whole_again(cluster):
    with distributed.Client(cluster) as client:
        deadline = time.monotonic() + 30
        while len(client.run(os.getpid)) < 2 and time.monotonic() < deadline:
            time.sleep(0.1)
        assert len(client.run(os.getpid)) == 2

from __future__ import annotations

import json
import os
import socket

import pandas as pd
import psutil
import pytest

from serving.client.protocol import ModelName
from serving.load.bodies import read_products
from serving.load.measure import LoadPlan
from serving.load.server_process import NotWatched, Watch, find_process
from trainer.cli import main
from trainer.inputs import InputSpec

INPUTS = [
    InputSpec("image_bytes", "image", ("image",)),
    InputSpec("text", "text", ("title", "description")),
    InputSpec("price", "number", ("price",)),
]


@pytest.fixture
def table(tmp_path):
    (tmp_path / "a.jpg").write_bytes(b"\xff\xd8\xff")
    rows = {
        "title": ["red mug", "blue", ""],
        "image": ["a.jpg", "nowhere.jpg", ""],
        "price": ["9.5", "cheap", ""],
        "extra": ["x"] * 3,
    }
    pd.DataFrame(rows).to_csv(tmp_path / "t.csv", index=False)
    pd.DataFrame(rows).to_parquet(tmp_path / "t.parquet")
    return tmp_path / "t.csv"


@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
def test_rows_become_raw_values(table, suffix):
    rows, bad = read_products(table.with_suffix(suffix), INPUTS, 10)
    assert rows[0] == {"image_bytes": b"\xff\xd8\xff", "text": b"red mug", "price": 9.5}
    assert (rows[1]["image_bytes"], rows[2]["text"]) == (b"", b"")
    assert bad == 2
    assert len(read_products(table.with_suffix(suffix), INPUTS, 2)[0]) == 2


def test_tables_that_do_not_fit(table, tmp_path):
    with pytest.raises(ValueError, match="none of the columns"):
        read_products(table, [InputSpec("a", "text", ("b",))], 3)
    with pytest.raises(FileNotFoundError, match=r"nowhere\.csv"):
        read_products(tmp_path / "nowhere.csv", INPUTS, 3)
    (tmp_path / "e.csv").write_text("title\n")
    with pytest.raises(ValueError, match="no rows"):
        read_products(tmp_path / "e.csv", INPUTS, 3)
    (tmp_path / "e.txt").write_text("title\n")
    with pytest.raises(ValueError, match=r"\.csv or \.parquet"):
        read_products(tmp_path / "e.txt", INPUTS, 3)


@pytest.mark.parametrize("protocol", ["rest", "grpc"])
def test_the_command_measures_writes_and_draws(serve, table, tmp_path, capsys, protocol):
    server = serve(seconds=0.005)
    out = tmp_path / "load"
    arguments = ["--server", getattr(server, protocol), "--data", str(table), "--rate", "40,80"]
    assert main(["load", *arguments, "--seconds", "0.5", "--out", str(out), "--seed", "1"]) == 0
    said = capsys.readouterr()
    assert "2 cells of 3 rows could not be read" in said.err
    assert said.out.splitlines()[0].split()[0] == "offered/s"
    assert said.out.splitlines()[-1] == str(out / "load.json")
    found = json.loads((out / "load.json").read_text("utf-8"))
    assert [one["rate"] for one in found["rates"]] == [40, 80]
    for one in found["rates"]:
        assert one["answered"] == one["requests"] > 5
        assert one["latency_ms"]["p50"] >= 5
        assert one["server"]["pid"] == os.getpid()
        assert one["server"]["memory_max_mb"] > 10
        assert one["server"]["cpu_seconds"] > 0
        assert one["generator"]["lag_ms"]["p99"] >= 0
    asked = sum(rows["text"] for name, rows in server.requests if name == "serving_default")
    assert asked == sum(one["requests"] for one in found["rates"]) + 2 + 3
    svg = (out / "load.svg").read_text("utf-8")
    assert svg.startswith("<?xml")


@pytest.mark.parametrize(
    ("protocol", "kind"), [("rest", "503 UNAVAILABLE"), ("grpc", "UNAVAILABLE")]
)
def test_errors_are_counted_by_kind_and_not_repeated(serve, table, tmp_path, protocol, kind):
    server = serve()
    arguments = ["--server", getattr(server, protocol), "--data", str(table), "--rate", "60"]
    prepared = 3 + 1
    # The requests before the load are not part of it: let those through.
    predict, seen = server.predict, []

    def refuse_every_third(signature, inputs):
        if signature == "serving_default":
            seen.append(1)
            if len(seen) > prepared and len(seen) % 3 == 0:
                server.refuse("UNAVAILABLE", "full")
        return predict(signature, inputs)

    server.predict = refuse_every_third
    assert main(["load", *arguments, "--seconds", "0.5", "--out", str(tmp_path / "l")]) == 0
    [one] = json.loads((tmp_path / "l" / "load.json").read_text("utf-8"))["rates"]
    assert list(one["errors"]) == [kind]
    assert one["errors"][kind] == one["requests"] - one["answered"] > 3
    assert one["error_latency_ms"]["p50"] > 0
    assert len(seen) == one["requests"] + prepared


def test_a_server_that_answers_nothing_is_an_error(serve, table, tmp_path, capsys):
    server = serve()
    server.refuse("INTERNAL", "broken", times=99)
    arguments = ["--server", server.rest, "--data", str(table), "--rate", "5", "--seconds", "1"]
    assert main(["load", *arguments, "--out", str(tmp_path / "l")]) == 1
    assert "answered none of 3 requests before the load: 500 INTERNAL" in capsys.readouterr().err
    assert not (tmp_path / "l").exists()


def test_wrong_calls(table, tmp_path, capsys):
    for rate, part in (("fast", "numbers, with commas"), ("0", "must be above 0")):
        arguments = ["--server", "http://h:1", "--data", str(table), "--rate", rate]
        assert main(["load", *arguments, "--out", str(tmp_path)]) == 2
        assert part in capsys.readouterr().err
    with pytest.raises(ValueError, match="`batch` must be above 0"):
        LoadPlan("http://h:1", ModelName("m"), (1.0,), 1.0, batch=0)


def test_the_process_of_a_port_is_found():
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        url = f"grpc://localhost:{listening.getsockname()[1]}"
        assert find_process(url).pid == os.getpid()
    with pytest.raises(NotWatched, match="cannot be seen; give --pid"):
        find_process(url)
    with pytest.raises(NotWatched, match="is not this machine"):
        find_process("http://192.0.2.1:80")
    with pytest.raises(ValueError, match="no process"):
        find_process(url, pid=2**22 + 1)


def test_cpu_and_memory_are_watched():
    with Watch(psutil.Process()) as watch:
        end = psutil.Process().cpu_times().user + 0.3
        while psutil.Process().cpu_times().user < end:
            pass
    assert 0.25 < watch.cpu < 3
    assert min(watch.memory) > 10 * 2**20

"""Versions come and go under load."""

import json
import shutil
import threading
import time
import urllib.request

import psutil
import pytest

from serving.server.served_model import find_versions
from serving.server.settings import ModelSettings, VersionPolicy

ROW = {"image_bytes": "", "text": "red mug", "price": 2.5}
BODY = json.dumps({"instances": [ROW]}).encode()


def move_in(source, base, number):
    """Puts a version into a base folder, whole or not at all."""
    copy = base / f".partial-{number}"
    shutil.copytree(source, copy)
    copy.rename(base / str(number))


def move_out(base, number):
    gone = base / f".gone-{number}"
    (base / str(number)).rename(gone)
    shutil.rmtree(gone)


def wait_for(condition, seconds=30):
    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until, "did not come about in time"
        time.sleep(0.02)


def states(server):
    return {
        int(version["version"]): version["state"]
        for version in server.get("/v1/models/toy")[1]["model_version_status"]
    }


class Client(threading.Thread):
    """Asks again and again; notes when it asked, and which version answered."""

    def __init__(self, url, stop):
        super().__init__()
        self.url = f"{url}/v1/models/toy:predict"
        self.stop = stop
        self.answers = []
        self.failures = []

    def run(self):
        while not self.stop.is_set():
            started = time.monotonic()
            try:
                with urllib.request.urlopen(self.url, BODY, timeout=30) as response:
                    label = json.load(response)["predictions"][0]["label"]
                self.answers.append((started, time.monotonic(), label.split()[0]))
            except Exception as error:
                self.failures.append(repr(error))
            time.sleep(0.01)


def test_swaps_under_load_lose_nothing(start_process, write_toy, tmp_path):
    base, shelf = tmp_path / "base", tmp_path / "shelf"
    write_toy(shelf / "1", "v1", weights=48)  # 50 MB, to be seen if it stayed
    write_toy(shelf / "2", "v2", weights=48)
    base.mkdir()
    move_in(shelf / "1", base, 1)
    server = start_process(base, "--poll", "0.05", "--access-log", "", "--max-batch", "16")
    process = psutil.Process(server.popen.pid)
    stop = threading.Event()
    clients = [Client(server.url, stop) for _ in range(16)]
    for client in clients:
        client.start()
    loaded = {"v1": [[0.0, float("inf")]], "v2": []}
    memory = []
    try:
        for swap in range(10):
            new, old = (2, 1) if swap % 2 == 0 else (1, 2)
            begun = time.monotonic()
            move_in(shelf / str(new), base, new) if new == 2 else move_out(base, 2)
            wait_for(lambda new=new: states(server).get(new) == "AVAILABLE")
            wait_for(lambda old=old: states(server).get(old) == "END")
            loaded[f"v{new}"].append([begun, float("inf")])
            loaded[f"v{old}"][-1][1] = time.monotonic()
            time.sleep(0.5)
            memory.append(process.memory_info().rss)
    finally:
        stop.set()
        for client in clients:
            client.join()
    assert [failure for client in clients for failure in client.failures] == []
    answers = [answer for client in clients for answer in client.answers]
    assert len(answers) > 200
    assert {tag for _, _, tag in answers} == {"v1", "v2"}
    for started, ended, tag in answers:
        assert any(begin <= ended and started <= end for begin, end in loaded[tag]), tag
    # The first swap has brought in what is loaded but once; from there on it must come back.
    assert max(memory[1:]) <= 1.10 * min(memory[:2]), [rss >> 20 for rss in memory]


def test_policies_choose_versions():
    assert VersionPolicy().choose([1, 3, 2]) == {3}
    assert VersionPolicy(latest=2).choose([1, 3, 2]) == {2, 3}
    assert VersionPolicy(latest=0).choose([1, 3, 2]) == {1, 2, 3}
    assert VersionPolicy(latest=0, specific=(1, 7)).choose([1, 3, 2]) == {1}
    with pytest.raises(ValueError, match="not both"):
        VersionPolicy(latest=1, specific=(1,))


def test_folders_that_are_no_versions_are_left_alone(tmp_path):
    for name in ("1", "2", "x", ".partial-3"):
        (tmp_path / name).mkdir()
    (tmp_path / "2" / "saved_model.pb").touch()
    (tmp_path / "x" / "saved_model.pb").touch()
    (tmp_path / ".partial-3" / "saved_model.pb").touch()
    assert find_versions(tmp_path) == {2: tmp_path / "2"}
    assert find_versions(tmp_path / "2") == {2: tmp_path / "2"}
    assert find_versions(tmp_path / "none") == {}


def test_a_version_that_does_not_load_leaves_the_old_one(run_server, settings_for, toy, tmp_path):
    base = tmp_path / "base"
    base.mkdir()
    move_in(toy / "1", base, 1)
    with run_server(settings_for(base)) as server:
        (base / "2").mkdir()
        (base / "2" / "saved_model.pb").write_bytes(b"ruined")
        wait_for(lambda: states(server).get(2) == "END")
        assert states(server)[1] == "AVAILABLE"
        assert server.post("/v1/models/toy:predict", BODY)[0] == 200
        assert server.get("/readyz")[0] == 503
        status = server.get("/v1/models/toy/versions/2")[1]["model_version_status"][0]["status"]
        assert status["error_code"] != "OK"
        assert status["error_message"]


def test_an_emptied_folder_keeps_what_is_loaded(run_server, settings_for, toy, tmp_path):
    base = tmp_path / "base"
    base.mkdir()
    move_in(toy / "1", base, 1)
    with run_server(settings_for(base)) as server:
        move_out(base, 1)
        time.sleep(0.3)
        assert server.post("/v1/models/toy:predict", BODY)[0] == 200


def test_several_versions_and_labels(run_server, settings_for, toy, write_toy, tmp_path):
    base = tmp_path / "base"
    base.mkdir()
    move_in(toy / "1", base, 1)
    write_toy(base / "2", "v2")
    model = ModelSettings("toy", base, VersionPolicy(latest=2), (("canary", 2), ("stable", 1)))
    with run_server(settings_for(base, models=(model,))) as server:
        for path, tag in (
            ("", "v2"),
            ("/versions/1", "v1"),
            ("/labels/stable", "v1"),
            ("/labels/canary", "v2"),
        ):
            answer = server.post(f"/v1/models/toy{path}:predict", BODY)[1]
            assert answer["predictions"][0]["label"].startswith(tag)


def test_a_version_that_was_copied_too_slowly_is_tried_again(
    run_server, settings_for, toy, tmp_path
):
    base = tmp_path / "base"
    shutil.copytree(toy / "1", base / "1")
    with run_server(settings_for(base)) as server:
        (base / "2").mkdir()
        shutil.copy(toy / "1" / "saved_model.pb", base / "2")
        wait_for(lambda: states(server).get(2) == "END")
        shutil.copytree(toy / "1" / "variables", base / "2" / "variables")
        wait_for(lambda: states(server).get(2) == "AVAILABLE")
        wait_for(lambda: states(server).get(1) == "END")

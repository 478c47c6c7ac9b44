"""A server for as long as it is asked: it starts, answers, and ends whatever happens."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from components.infra_validator import server as module
from components.infra_validator.server import CandidateServer, ServerError

ROOT = Path(__file__).parents[3]
# Answers as the real one does, without a model: each product with its own number, doubled.
ANSWERS = """
import http.server, json, sys, time

class Handler(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        told = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        rows = [row["number"] for row in told["instances"]]
        if 13 in rows:
            import os
            os._exit(7)
        if 14 in rows:
            import os
            self.send_response(200)
            self.send_header("Content-Length", "1000")
            self.end_headers()
            self.wfile.write(b'{"predictions": [')
            self.wfile.flush()
            os._exit(8)
        code, answer = 200, {"predictions": [{"scores": [2 * number]} for number in rows]}
        if -1 in rows:
            code, answer = 400, {"error": "no negative numbers"}
        body = json.dumps(answer).encode()
        if -2 in rows:
            body = body[:-1]
        if -3 in rows:
            body = b"[]"
        self.send_response(code)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args):
        pass

if "late" in sys.argv:
    time.sleep(60)
if "never" in sys.argv:
    sys.exit("no such model")
server = http.server.HTTPServer(("127.0.0.1", 0), Handler)
print(f"REST     http://127.0.0.1:{server.server_port}/v1/models/taxofuse:predict", flush=True)
if "deaf" in sys.argv:
    import signal
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
server.serve_forever()
"""


@pytest.fixture
def serve(monkeypatch, tmp_path):
    """Returns a function that makes a server which behaves as it is told."""

    def make(*behaviour, start_seconds=20.0):
        command = [sys.executable, "-c", ANSWERS, *behaviour]
        monkeypatch.setattr(module, "serve_command", lambda model: command)
        return CandidateServer(tmp_path / "model", tmp_path / "log", start_seconds)

    return make


def children():
    return psutil.Process().children(recursive=True)


def test_it_answers_and_ends(serve):
    before = children()
    with serve() as server:
        assert server.predict([{"number": 2.0}, {"number": 3.0}]) == [
            {"scores": [4.0]},
            {"scores": [6.0]},
        ]
        assert 0 < server.start_seconds < 20
        assert server.memory_mb() > 1
        with pytest.raises(ServerError, match="HTTP 400: no negative numbers"):
            server.predict([{"number": -1}])
    assert children() == before


def test_it_ends_with_an_error(serve):
    before = children()
    with pytest.raises(KeyError), serve():
        raise KeyError
    assert children() == before


def test_one_that_does_not_start_is_told_of(serve, tmp_path):
    before = children()
    with (
        pytest.raises(ServerError, match="it ended with code 1 before it answered"),
        serve("never"),
    ):
        pass
    assert "no such model" in (tmp_path / "log").read_text()
    with (
        pytest.raises(ServerError, match=r"it did not start within 0\.5 s"),
        serve("late", start_seconds=0.5),
    ):
        pass
    assert children() == before


def test_one_that_dies_under_a_request_is_told_of(serve):
    with serve() as server, pytest.raises(ServerError, match="the server ended with code 7"):
        server.predict([{"number": 13}])


def test_one_that_dies_in_the_middle_of_an_answer_is_told_of(serve):
    with serve() as server, pytest.raises(ServerError, match="the server ended with code 8"):
        server.predict([{"number": 14}])


def test_an_answer_that_cannot_be_read_is_told_of(serve):
    with serve() as server:
        with pytest.raises(ServerError, match="no answer: JSONDecodeError"):
            server.predict([{"number": -2}])
        with pytest.raises(ServerError, match="no answer: TypeError"):
            server.predict([{"number": -3}])
        assert server.predict([{"number": 1}]) == [{"scores": [2]}]


def test_one_that_does_not_hear_is_killed(serve, monkeypatch):
    monkeypatch.setattr(module, "_GRACE", 0.5)
    before = children()
    with serve("deaf") as server:
        server.predict([{"number": 1}])
    assert children() == before


PARENT = """
import signal, sys, time
from pathlib import Path
from components.infra_validator import server as module
signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background jobs ignore it
module.serve_command = lambda model: [sys.executable, "-c", {answers!r}]
with module.CandidateServer(Path("model"), Path({log!r}), 20.0) as server:
    print(" ".join(str(child.pid) for child in module.psutil.Process().children(True)), flush=True)
    time.sleep(60)
"""


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_it_ends_when_the_one_who_asks_is_killed(tmp_path, number):
    code = PARENT.format(answers=ANSWERS, log=str(tmp_path / "log"))
    with subprocess.Popen(
        [sys.executable, "-c", code], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    ) as parent:
        assert parent.stdout is not None
        started = [psutil.Process(int(pid)) for pid in parent.stdout.readline().split()]
        assert len(started) == 2
        os.kill(parent.pid, number)
        parent.wait()
    _, alive = psutil.wait_procs(started, timeout=15)
    assert not alive

"""Dockerfile and Compose files, by a parser and by Compose's own schema; no engine runs."""

from __future__ import annotations

import http.server
import importlib.resources
import io
import json
import re
import shutil
import socket
import subprocess
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from dockerfile_parse import DockerfileParser

from serving.deploy.containers import (
    build_compose,
    build_prometheus,
    list_health_command,
    write_dockerfile,
)
from serving.deploy.deployment import Deployment
from serving.deploy.folder import write_deployment
from serving.deploy.server_flags import list_flags


def parse(text: str) -> DockerfileParser:
    return DockerfileParser(fileobj=io.BytesIO(text.encode()))


def instructions(text: str) -> dict[str, list[str]]:
    """Returns the values of each instruction, continuation lines joined."""
    found: dict[str, list[str]] = {}
    for step in parse(text).structure:
        found.setdefault(step["instruction"], []).append(step["value"])
    return found


def test_the_dockerfile_is_understood(plan: Callable[..., Deployment]) -> None:
    deployment = plan("server.port=9000", "server.rest_api_port=9001")
    steps = instructions(write_dockerfile(deployment))
    steps.pop("COMMENT")
    assert set(steps) == {
        *("ARG", "FROM", "COPY", "ENV", "USER", "EXPOSE", "HEALTHCHECK", "ENTRYPOINT", "CMD"),
    }
    assert steps["COPY"] == ["config/ /etc/tensorflow-serving/", "models/ /models/"]
    assert steps["EXPOSE"] == ["9000 9001"]
    assert steps["USER"] == ["1000:1000"]
    assert json.loads(steps["ENTRYPOINT"][0]) == ["/usr/bin/tensorflow_model_server"]
    assert json.loads(steps["CMD"][0]) == list_flags(deployment)
    health = re.fullmatch(
        r"--interval=10s --timeout=5s --start-period=300s\s+CMD (.*)", steps["HEALTHCHECK"][0]
    )
    assert health
    assert json.loads(health[1]) == list_health_command(deployment)


def test_a_build_argument_chooses_cpu_or_gpu(plan: Callable[..., Deployment]) -> None:
    text = write_dockerfile(plan("image.serving_tag=2.18.1"))
    assert parse(text).baseimage == "tensorflow/serving:2.18.1"
    gpu = DockerfileParser(
        fileobj=io.BytesIO(text.encode()), build_args={"TF_SERVING_TAG": "2.19.1-gpu"}
    )
    assert gpu.baseimage == "tensorflow/serving:2.19.1-gpu"


class Status(http.server.BaseHTTPRequestHandler):
    """Answers as TensorFlow Serving does while a model is loaded, and after."""

    state = "AVAILABLE"

    def do_GET(self) -> None:
        known = self.path == "/v1/models/taxofuse/labels/stable"
        body = json.dumps({"model_version_status": [{"version": "3", "state": self.state}]})
        self.send_response(200 if known else 404)
        self.end_headers()
        self.wfile.write(body.encode() if known else b'{"error": "not found"}')

    def log_message(self, *args: Any) -> None:
        pass


@pytest.fixture
def status_port() -> Iterator[int]:
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Status)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server.server_address[1]
    server.shutdown()
    thread.join()
    server.server_close()


def run_health(deployment: Deployment) -> int:
    command = list_health_command(deployment)
    return subprocess.run(command, capture_output=True, timeout=10, check=False).returncode


def test_the_health_command_tells_an_available_model(
    plan: Callable[..., Deployment], status_port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = f"server.rest_api_port={status_port}"
    assert run_health(plan(asked)) == 0
    assert run_health(plan(asked, "model.name=other")) != 0
    monkeypatch.setattr(Status, "state", "LOADING")
    assert run_health(plan(asked)) != 0


def test_the_health_command_fails_where_nobody_listens(plan: Callable[..., Deployment]) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        assert run_health(plan(f"server.rest_api_port={free.getsockname()[1]}")) != 0


def compose_schema() -> dict[str, Any]:
    """Returns compose-spec's own schema, which check-jsonschema carries."""
    vendor = importlib.resources.files("check_jsonschema") / "builtin_schemas" / "vendor"
    return json.loads((vendor / "compose-spec.json").read_text(encoding="utf-8"))


@pytest.fixture
def folder(plan: Callable[..., Deployment], tmp_path: Path) -> Path:
    write_deployment(tmp_path / "deployment", plan("resources.memory=512Mi", "resources.gpus=2"))
    return tmp_path / "deployment"


@pytest.fixture(params=["compose.yaml", "compose.gpu.yaml"])
def compose_text(request: pytest.FixtureRequest, folder: Path) -> str:
    return (folder / request.param).read_text(encoding="utf-8")


def test_compose_files_follow_the_specification(compose_text: str) -> None:
    jsonschema.Draft202012Validator(compose_schema()).validate(yaml.safe_load(compose_text))


def test_the_specification_refuses_what_compose_would(compose_text: str) -> None:
    wrong = yaml.safe_load(compose_text)
    wrong["services"]["taxofuse"]["read-only"] = True
    with pytest.raises(jsonschema.ValidationError, match="read-only"):
        jsonschema.Draft202012Validator(compose_schema()).validate(wrong)


def test_compose_files_say_what_compose_config_asks(compose_text: str, folder: Path) -> None:
    # A `$` would be a variable that Compose looks for in the environment.
    assert "$" not in compose_text
    services = yaml.safe_load(compose_text)["services"]
    published = []
    for service in services.values():
        for port in service["ports"]:
            host = re.fullmatch(r"127\.0\.0\.1:(\d+):(\d+)", port)
            assert host
            published.append(host[1])
        for volume in service.get("volumes", ()):
            source, target, mode = volume.split(":")
            assert (folder / source).is_file()
            assert target.startswith("/")
            assert mode == "ro"
        assert set(service.get("depends_on", {})) <= set(services)
    assert len(set(published)) == len(published) == 3
    build = services["taxofuse"]["build"]
    dockerfile = folder / build["context"] / "Dockerfile"
    declared = [value.split("=")[0] for value in instructions(dockerfile.read_text())["ARG"]]
    assert list(build["args"]) == declared == ["TF_SERVING_TAG"]


def test_only_the_gpu_file_reserves_gpus(folder: Path) -> None:
    cpu, gpu = (
        yaml.safe_load((folder / name).read_text(encoding="utf-8"))["services"]["taxofuse"]
        for name in ("compose.yaml", "compose.gpu.yaml")
    )
    devices = gpu["deploy"]["resources"].pop("reservations")["devices"]
    assert devices == [{"driver": "nvidia", "count": 2, "capabilities": ["gpu"]}]
    assert gpu.pop("build")["args"] == {"TF_SERVING_TAG": "2.19.1-gpu"}
    assert cpu.pop("build")["args"] == {"TF_SERVING_TAG": "2.19.1"}
    assert (cpu.pop("image"), gpu.pop("image")) == (
        "taxofuse:3-33333333",
        "taxofuse:3-33333333-gpu",
    )
    assert cpu == gpu
    assert cpu["deploy"]["resources"]["limits"] == {"cpus": "2", "memory": "512M"}


def test_without_metrics_there_is_no_prometheus(plan: Callable[..., Deployment]) -> None:
    services = build_compose(plan("monitoring.enable=false"), gpu=False)["services"]
    assert list(services) == ["taxofuse"]


def test_prometheus_asks_the_server_by_its_compose_name(plan: Callable[..., Deployment]) -> None:
    deployment = plan("model.name=shop", "server.rest_api_port=9001", "monitoring.path=/m")
    (job,) = build_prometheus(deployment)["scrape_configs"]
    assert job["static_configs"] == [{"targets": ["shop:9001"]}]
    assert job["metrics_path"] == "/m"
    assert "shop" in build_compose(deployment, gpu=True)["services"]


@pytest.mark.skipif(not shutil.which("promtool"), reason="needs promtool (apt: prometheus)")
def test_promtool_accepts_the_configuration(folder: Path) -> None:
    done = subprocess.run(
        ["promtool", "check", "config", str(folder / "prometheus.yml")],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr

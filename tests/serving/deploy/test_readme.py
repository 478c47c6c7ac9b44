"""The commands of the folder's page."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Callable
from pathlib import Path

import pytest

from serving.deploy.deployment import Deployment
from serving.deploy.readme import write_readme
from serving.deploy.server_flags import list_flags
from serving.deploy.settings import Settings


def commands(deployment: Deployment) -> list[list[str]]:
    """Returns the words of each command, as a shell reads them."""
    blocks = re.findall(r"```bash\n(.*?)```", write_readme(deployment), re.DOTALL)
    text = "".join(blocks).replace("\\\n", " ")
    return [shlex.split(line, comments=True) for line in text.splitlines()]


@pytest.mark.parametrize("gpu", [False, True])
def test_the_command_without_a_build_is_whole(plan: Callable[..., Deployment], gpu: bool) -> None:
    deployment = plan("image.serving_tag=2.18.1", "image.serving_gpu_tag=2.19.1-gpu")
    image = "tensorflow/serving:2.19.1-gpu" if gpu else "tensorflow/serving:2.18.1"
    (command,) = [words for words in commands(deployment) if image in words]
    before, after = command[: command.index(image)], command[command.index(image) + 1 :]
    assert before[:2] == ["docker", "run"]
    assert after == list_flags(deployment)
    assert ("--gpus" in before) is gpu
    if gpu:
        assert before[before.index("--gpus") + 1] == "all"
    assert before[before.index("--entrypoint") + 1] == "/usr/bin/tensorflow_model_server"
    mounts = [word for word in before if word.startswith("type=bind")]
    assert mounts == [
        "type=bind,source=$PWD/models,target=/models,readonly",
        "type=bind,source=$PWD/config,target=/etc/tensorflow-serving,readonly",
    ]


def test_what_is_built_is_what_is_run_and_pushed(plan: Callable[..., Deployment]) -> None:
    found = commands(plan("image.repository=registry.io/shop", "image.device=gpu"))
    built = {words[words.index("-t") + 1] for words in found if words[:2] == ["docker", "build"]}
    assert built == {"registry.io/shop:3-33333333", "registry.io/shop:3-33333333-gpu"}
    run = {words[-1] for words in found if words[:2] == ["docker", "run"]}
    assert built <= run
    (pushed,) = [words[2] for words in found if words[:2] == ["docker", "push"]]
    assert pushed == "registry.io/shop:3-33333333-gpu"


def test_the_request_has_every_input_of_the_model(plan: Callable[..., Deployment]) -> None:
    (asked,) = [words for words in commands(plan()) if "-d" in words]
    assert asked[1] == "http://127.0.0.1:8501/v1/models/taxofuse/labels/stable:predict"
    assert json.loads(asked[3]) == {
        "instances": [{"image_bytes": {"b64": ""}, "text": "red mug", "price": 9.9}]
    }


def test_the_page_says_which_versions_are_served(plan: Callable[..., Deployment]) -> None:
    page = write_readme(plan("model.stable=2", "model.canary=3"))
    assert "`stable` is version 2, `canary` is version 3." in page


def test_without_metrics_no_prometheus_is_offered(plan: Callable[..., Deployment]) -> None:
    assert "--profile monitoring" in write_readme(plan())
    assert "--profile monitoring" not in write_readme(plan("monitoring.enable=false"))


def test_the_project_page_has_the_gpu_command_of_the_default_settings() -> None:
    page = (Path(__file__).parents[3] / "README.md").read_text(encoding="utf-8")
    tag = Settings().image.serving_gpu_tag
    assert f"docker build --build-arg TF_SERVING_TAG={tag} -t taxofuse:gpu ." in page
    assert f"tensorflow/serving:{tag}\n" in page
    (command,) = re.findall(r"^docker run .*taxofuse:gpu$", page, re.MULTILINE)
    words = shlex.split(command)
    assert words[words.index("--gpus") + 1] == "all"
    for port in (Settings().server.port, Settings().server.rest_api_port):
        assert f"127.0.0.1:{port}:{port}" in words

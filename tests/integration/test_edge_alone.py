"""The folder for devices where there is nothing but what a device has."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import venv
from pathlib import Path

import pytest
from PIL import Image

from serving.edge.classifier import Classifier

PACKAGES = ("ai-edge-litert", "numpy", "pillow")
# Runs a module in a process in which whatever a device does not have cannot be found, although it
# is installed. The first argument are names of packages.
WITHOUT_THE_REST = """
import runpy, sys

allowed = {*sys.stdlib_module_names, *sys.argv.pop(1).split(",")}

class Refuse:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] not in allowed:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

sys.meta_path.insert(0, Refuse())
try:
    import keras
except ModuleNotFoundError:
    runpy.run_module("serving.edge", run_name="__main__", alter_sys=True)
"""


@pytest.fixture(scope="module")
def exported(trained, call, tmp_path_factory):
    """Returns the folder of the shop's model."""
    out = tmp_path_factory.mktemp("alone") / "model"
    done = call(
        "export", "--model", trained.folder, "--out", out, "--format", "tflite",
        "--quantize", "full_integer", folder=out,
    )  # fmt: skip
    assert done.code == 0, done.stderr
    return out


@pytest.fixture(scope="module")
def arguments(shop):
    picture = shop.parent / "pictures" / "0.jpg"
    return ["--picture", str(picture), "--text", "desk lamp light bulb", "--value", "price=40"]


@pytest.fixture(scope="module")
def expected(exported, shop):
    """Returns the scores by label as this process, which has everything, finds them."""
    classifier = Classifier(exported)
    picture = (shop.parent / "pictures" / "0.jpg").read_bytes()
    row = {"image_bytes": picture, "text": b"desk lamp light bulb", "price": 40.0}
    return dict(zip(classifier.labels, classifier.answer(row).scores.tolist(), strict=True))


def start(folder: Path, *command: str) -> subprocess.CompletedProcess[str]:
    """Runs a program in a folder."""
    # Nothing but the folder itself says where packages are.
    own = {key: of for key, of in os.environ.items() if not key.startswith("PYTHON")}
    return subprocess.run(
        command, cwd=folder, env=own, capture_output=True, text=True, check=False, timeout=300
    )


def run(folder: Path, *command: str) -> dict[str, float]:
    """Returns the scores that a program prints which is started in a folder."""
    done = start(folder, *command)
    assert done.returncode == 0, done.stderr[-2000:]
    return json.loads(done.stdout)["scores"]


def test_the_program_needs_no_other_packages(exported, arguments, expected) -> None:
    command = [sys.executable, "-c", WITHOUT_THE_REST, "ai_edge_litert,numpy,PIL,serving"]
    assert run(exported, *command, *arguments) == pytest.approx(expected, abs=1e-5)


def test_a_table_needs_no_other_packages_either(exported, shop, tmp_path, expected) -> None:
    with Image.open(shop.parent / "pictures" / "0.jpg") as picture:
        picture.save(tmp_path / "0.tif")
    (tmp_path / "1.jpg").write_bytes(b"no picture")
    lines = ["image_bytes,text,price", "0.tif,desk lamp light bulb,40", '1.jpg,lamp,"1,299"', ",,"]
    (tmp_path / "products.csv").write_text("\n".join(lines))
    command = [sys.executable, "-c", WITHOUT_THE_REST, "ai_edge_litert,numpy,PIL,serving"]
    done = start(exported, *command, "--table", str(tmp_path / "products.csv"))
    assert done.returncode == 1, done.stderr[-2000:]
    told = [json.loads(line) for line in done.stdout.splitlines()]
    status = ["ok", "image_bytes: not a picture", "nothing to go by"]
    assert [of["status"] for of in told] == status
    # TIFF keeps the pixels that Pillow decoded, which are nearly those of a JPEG's own decoder.
    assert told[0]["scores"] == pytest.approx(expected, abs=0.02)


def test_without_one_of_them_it_says_which(exported, arguments) -> None:
    command = [sys.executable, "-c", WITHOUT_THE_REST, "ai_edge_litert,numpy,serving"]
    with pytest.raises(AssertionError, match="No module named 'PIL'"):
        run(exported, *command, *arguments)


@pytest.mark.slow
def test_the_program_runs_in_an_environment_of_its_own(
    exported, arguments, expected, tmp_path
) -> None:
    venv.create(tmp_path / "venv", with_pip=True)
    python = str(tmp_path / "venv" / ("Scripts" if os.name == "nt" else "bin") / "python")
    pinned = Path(__file__).parents[2].joinpath("requirements.txt").read_text().splitlines()
    wanted = [line for line in pinned if line.partition("==")[0] in PACKAGES]
    assert len(wanted) == len(PACKAGES)
    subprocess.run([python, "-m", "pip", "install", "-q", *wanted], check=True, timeout=600)
    listed = subprocess.run(
        [python, "-m", "pip", "list", "--format=freeze"], capture_output=True, text=True, check=True
    )
    installed = {line.partition("==")[0].lower() for line in listed.stdout.splitlines()}
    assert installed >= set(PACKAGES)
    assert not installed & {"tensorflow", "keras", "taxofuse", "pandas", "scipy"}
    assert run(exported, python, "-m", "serving.edge", *arguments) == pytest.approx(
        expected, abs=1e-5
    )

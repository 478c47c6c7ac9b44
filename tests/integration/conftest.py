"""One small shop, trained once, for all tests here."""

from __future__ import annotations

import contextlib
import io
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

# Label path: colour of the pictures, words of the titles, usual price.
CLASSES = {
    ("home", "lamps"): ((220, 200, 40), "desk lamp light bulb shade bright", 40),
    ("worn", "watches"): ((40, 60, 220), "wrist watch dial strap steel quartz", 200),
    ("worn", "shirts"): ((200, 40, 60), "cotton shirt sleeve collar button slim", 20),
}
FILLER = ["new", "classic", "modern", "small", "large", "best", "original", "gift", "home", "set"]
ROWS = 72
LABEL = "department,category"


@dataclass(frozen=True)
class Finished:
    """What a command left behind."""

    folder: Path
    code: int
    stdout: str
    stderr: str


def draw_picture(rng: np.random.Generator, colour: tuple[int, int, int]) -> Image.Image:
    """Returns a picture of large random patches in shades of one colour."""
    patches = rng.integers(-40, 40, (6, 8, 1)) + np.array(colour)
    picture = Image.fromarray(patches.clip(0, 255).astype(np.uint8))
    return picture.resize((48, 36), Image.Resampling.NEAREST)


@pytest.fixture(scope="session")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Returns the path of a table: 72 products, some without picture, title or price."""
    folder = tmp_path_factory.mktemp("shop")
    (folder / "pictures").mkdir()
    rng = np.random.default_rng(0)
    rows = []
    for row in range(ROWS):
        department, category = path = list(CLASSES)[row % len(CLASSES)]
        colour, words, price = CLASSES[path]
        name = f"pictures/{row}.{'png' if row % 2 else 'jpg'}"
        draw_picture(rng, colour).save(folder / name)
        title = [*rng.choice(words.split(), 3), *rng.choice(FILLER, 3)]
        rows.append(
            {
                "id": f"p{row:02d}",
                "title": "" if row % 12 == 7 else " ".join(title),
                "description": " ".join(rng.choice([*words.split(), *FILLER], 9)),
                "price": "" if row % 9 == 4 else f"{price * rng.uniform(0.7, 1.4):.2f}",
                "colour": str(rng.choice(["red", "blue", "white"])),
                "picture": "" if row % 10 == 3 else name,
                "department": department,
                "category": category,
                "category_path": f"Shop >> {department} >> {category}",
                "shelf": f"{category[0].upper()}{rng.integers(2)}",
            }
        )
    pd.DataFrame(rows).to_csv(folder / "products.csv", index=False)
    return folder / "products.csv"


@pytest.fixture(scope="session")
def run_arguments() -> Callable[..., list[str]]:
    """Returns a function that makes the arguments of a small `run`; later settings win."""

    def make(table: Path, workdir: Path, *more: str, command: str = "run") -> list[str]:
        paths = ["--data", str(table), "--workdir", str(workdir)]
        settings = ["--set", "train.batch_size=8", "--set", "train.head_epochs=12"]
        return [command, *paths, "--label", LABEL, "--config", "tiny", *settings, *more]

    return make


@pytest.fixture(scope="session")
def call() -> Callable[..., Finished]:
    """Returns a function that runs a command in this process."""
    from trainer.cli import main

    def run(*arguments: object, folder: Path = Path()) -> Finished:
        stdout, stderr = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(stdout), contextlib.redirect_stderr(stderr):
            try:
                code = main([str(argument) for argument in arguments])
            except SystemExit as error:
                code = int(error.code or 0)
        return Finished(folder, code, stdout.getvalue(), stderr.getvalue())

    return run


@pytest.fixture(scope="session")
def trained(
    shop: Path,
    run_arguments: Callable[..., list[str]],
    call: Callable[..., Finished],
    tmp_path_factory: pytest.TempPathFactory,
) -> Finished:
    """Returns what `taxofuse run` made of the shop."""
    workdir = tmp_path_factory.mktemp("runs") / "shop"
    done = call(*run_arguments(shop, workdir), folder=workdir)
    assert done.code == 0, done.stderr
    return done


@pytest.fixture(scope="session")
def served(trained: Finished, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """Serves the trained model in a process of its own; returns what it listens at.

    Keys are `REST` (with the path of predictions), `gRPC`, `Metrics`, `Probes` and `Page`.
    """
    command = [sys.executable, "-m", "trainer.cli", "serve", "--model", str(trained.folder)]
    command += ["--port", "0", "--grpc-port", "0", "--access-log", ""]
    log = tmp_path_factory.mktemp("serve") / "log"
    with log.open("wb") as stderr:
        process = subprocess.Popen(
            command,
            cwd=Path(__file__).parents[2],
            stdout=subprocess.PIPE,
            stderr=stderr,
            text=True,
        )
    found = {}
    assert process.stdout is not None
    for line in process.stdout:
        name, _, address = line.partition(" ")
        found[name] = address.strip()
        if name == "Page":
            break
    assert "Page" in found, log.read_text()[-3000:]
    yield found
    process.terminate()
    assert process.wait(60) == 0
    process.stdout.close()

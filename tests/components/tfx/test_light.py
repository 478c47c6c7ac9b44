"""What runs inside of TFX needs nothing but Python 3.10 and TFX."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
CODE = """
import json, sys
sys.path.insert(0, sys.argv[1])
from components.component import find_components
import components.default_pipeline, components.tfx.names, components.tfx.process
import components.tfx.properties, trainer.commands.configure
from trainer.config import load_config
load_config("default")
own = {"components", "trainer", "__main__", *sys.stdlib_module_names}
foreign = {name.split(".")[0] for name in sys.modules} - own
print(json.dumps([sorted(find_components()), sorted(foreign)]))
"""


def _runs(python: str) -> bool:
    found = shutil.which(python)
    if found is None:
        return False
    return subprocess.run([found, "-c", ""], capture_output=True, check=False).returncode == 0


@pytest.mark.parametrize("python", [sys.executable, "python3.10"])
def test_declarations_need_no_package(python):
    if not _runs(python):
        pytest.skip(f"There is no {python} here.")
    done = subprocess.run(
        [python, "-I", "-S", "-c", CODE, str(ROOT)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    names, foreign = json.loads(done.stdout)
    assert {"ExampleGen", "ModelTrainer", "Pusher"} <= set(names)
    assert foreign == []

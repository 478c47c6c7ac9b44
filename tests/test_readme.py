"""The README does what it says: its code blocks run, and what it names exists."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
FENCE = re.compile(r"^```(\w*)\s*$")
NOT_RUN = re.compile(r"<!-- not run: \S.*-->")
MAKE = re.compile(r"^make ([\w-]+)", re.MULTILINE)
PATH = re.compile(r"(trainer|components|serving|tests|notebooks|\.ci)/[\w./-]*")
# One process for all blocks, in a folder of its own: Python blocks share their names, and an
# error's traceback gives the line of the README.
RUNNER = """
import json, subprocess, sys
names = {"__name__": "__main__"}
for language, line, source in json.load(sys.stdin):
    print(f"README.md line {line}, {language} block", file=sys.stderr, flush=True)
    if language == "python":
        exec(compile("\\n" * line + source, "README.md", "exec"), names)
    else:
        subprocess.run(["bash", "-eux", "-o", "pipefail", "-c", source], check=True)
"""


def find_blocks(text):
    """Returns `(language, line of the fence, source, whether to run it)` of each fenced block."""
    blocks, language, before = [], None, ""
    for number, line in enumerate(text.splitlines(), 1):
        fence = FENCE.match(line)
        if language is None and fence:
            language, first, source = fence[1], number, []
            run = language in ("bash", "python") and not NOT_RUN.fullmatch(before)
        elif language is not None and fence:
            blocks.append((language, first, "\n".join(source), run))
            language, before = None, ""
        elif language is not None:
            source.append(line)
        elif line.strip():
            before = line.strip()
    assert language is None, f"The block that opens in line {first} is not closed."
    return blocks


def without_make(source):
    """Takes away `make` lines: the test itself runs inside one of these targets."""
    return "\n".join(line for line in source.splitlines() if not line.startswith("make "))


def inline_code(text):
    """Returns what stands in single backticks outside of fenced blocks."""
    return re.findall(r"`([^`]+)`", re.sub(r"^```.*?^```$", "", text, flags=re.M | re.S))


def make_targets():
    return set(re.findall(r"^([\w-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))


@pytest.fixture(scope="module")
def readme():
    return (ROOT / "README.md").read_text(encoding="utf-8")


def test_blocks_are_found():
    text = "```bash\na\n```\n<!-- not run: why -->\n\n```python\nb\n```\n"
    text += "<!-- x -->\n```python\nc\n```\n"
    assert find_blocks(text) == [
        ("bash", 1, "a", True),
        ("python", 6, "b", False),
        ("python", 10, "c", True),
    ]


def test_code_blocks_run(readme, tmp_path):
    blocks = [
        (language, line, without_make(source))
        for language, line, source, run in find_blocks(readme)
        if run
    ]
    assert {language for language, _, source in blocks if source} == {"bash", "python"}
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    done = subprocess.run(
        [sys.executable, "-c", RUNNER],
        input=json.dumps(blocks),
        cwd=tmp_path,
        env={**os.environ, "PATH": path, "TF_CPP_MIN_LOG_LEVEL": "2"},
        capture_output=True,
        text=True,
        check=False,
    )
    started = re.findall(r"README\.md line \d+, \w+ block", done.stderr)
    assert done.returncode == 0, f"{started[-1:]} failed:\n{done.stdout}\n{done.stderr[-4000:]}"
    assert len(started) == len(blocks)


def test_named_make_targets_exist(readme):
    bash = [source for language, _, source, _ in find_blocks(readme) if language == "bash"]
    named = {target for code in [*bash, *inline_code(readme)] for target in MAKE.findall(code)}
    assert {"install", "run"} <= named
    assert sorted(named - make_targets()) == []


def test_named_paths_exist(readme):
    named = {code for code in inline_code(readme) if PATH.fullmatch(code)}
    assert named
    assert [path for path in sorted(named) if not (ROOT / path).exists()] == []

"""Runs a command that ends when whoever started this ends, however that is.

    python -m components.infra_validator.keeper SECONDS COMMAND ...

The standard input is a pipe that the other side holds open and never writes to. Its end, by
closing or by a kill, is SIGTERM for the command, and so many seconds later SIGKILL.
"""

from __future__ import annotations

import os
import subprocess
import sys
import threading


def main(command: list[str], grace: float) -> int:
    """Returns the exit code of the command."""
    child = subprocess.Popen(command, stdin=subprocess.DEVNULL)
    threading.Thread(target=_end_with_input, args=(child, grace), daemon=True).start()
    return child.wait()


def _end_with_input(child: subprocess.Popen[bytes], grace: float) -> None:
    # Not by `sys.stdin`, whose lock a thread may not hold when the interpreter ends.
    os.read(sys.stdin.fileno(), 1)
    child.terminate()
    try:
        child.wait(grace)
    except subprocess.TimeoutExpired:
        child.kill()


if __name__ == "__main__":
    sys.exit(main(sys.argv[2:], float(sys.argv[1])))

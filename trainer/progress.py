"""Progress bars on stderr."""

from __future__ import annotations

import sys
from typing import Any

from tqdm import tqdm

_SECONDS_TO_A_FILE = 15.0


def progress_bar(title: str, total: int, unit: str = "row", initial: int = 0) -> Any:
    """Returns a tqdm bar; where stderr is a file it writes a line now and then.

    Args:
        title: str. What is being done; nothing is shown where it is empty.
        total: int. Steps of the whole.
        unit: str. What a step is.
        initial: int. Steps that were done before.
    """
    return tqdm(
        desc=title,
        disable=not title,
        total=total,
        initial=initial,
        unit=unit,
        file=sys.stderr,
        mininterval=0.2 if sys.stderr.isatty() else _SECONDS_TO_A_FILE,
        dynamic_ncols=True,
    )

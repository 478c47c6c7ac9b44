"""matplotlib figures as SVG that follows the page's light or dark colours."""

from __future__ import annotations

import base64
import io
import unicodedata
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import matplotlib
from matplotlib.figure import Figure

BLUE, ORANGE, GREY = "#3f7fd0", "#dd6b20", "#8a94a3"  # told apart by colour-blind readers too
FOREGROUND = "#010203"
"""Drawn with this, replaced by the colour of the page's text."""

_SETTINGS: dict[Any, Any] = {
    "svg.fonttype": "none",  # text stays text: small, sharp, in the reader's fonts
    "svg.hashsalt": "taxofuse",  # the same figure gives the same bytes
    "text.parse_math": False,  # a "$" in a class name is a price
    "font.size": 9,
    "axes.titlesize": 10,
    "axes.titlelocation": "left",
    "text.color": FOREGROUND,
    "axes.labelcolor": FOREGROUND,
    "axes.edgecolor": GREY,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "xtick.color": FOREGROUND,
    "ytick.color": FOREGROUND,
    "grid.color": GREY,
    "grid.alpha": 0.3,
    "legend.frameon": False,
    "legend.labelcolor": FOREGROUND,
}
_STYLE = (
    "<style>svg{color:#1c2430}text{font-family:system-ui,sans-serif!important}"
    "@media(prefers-color-scheme:dark){svg{color:#e4e8ee}}</style>"
)


@contextmanager
def drawing() -> Iterator[None]:
    """Sets the look of figures made inside the block."""
    with matplotlib.rc_context(_SETTINGS), warnings.catch_warnings():
        # The reader's browser has the fonts that this machine may lack, for Chinese say.
        warnings.filterwarnings("ignore", message="Glyph .* missing from")
        yield


def to_data_uri(figure: Figure) -> str:
    """Returns a figure as `"data:image/svg+xml;base64,..."`; called inside `drawing()`."""
    buffer = io.StringIO()
    nothing = dict.fromkeys(("Creator", "Date", "Format", "Type"))
    figure.savefig(buffer, format="svg", transparent=True, metadata=nothing)
    svg = buffer.getvalue().replace(FOREGROUND, "currentColor")
    svg = svg.replace("<defs>", _STYLE + "<defs>", 1)
    return "data:image/svg+xml;base64," + base64.b64encode(svg.encode()).decode()


def text_width(text: str, size: float = 9) -> float:
    """Returns about how wide a text is drawn, in inches, at `size` points."""
    return _num_columns(text) * size * 0.56 / 72


def shorten(text: str, max_columns: int = 30) -> str:
    """Cuts a label to `max_columns`, keeping the end of a path and the start of others."""
    text = "".join(char if char.isprintable() else " " for char in text)
    if _num_columns(text) <= max_columns:
        return text
    from_end = " > " in text
    kept = ""
    for char in reversed(text) if from_end else text:
        if _num_columns(kept + char) > max_columns - 1:
            break
        kept += char
    return "…" + kept[::-1].lstrip() if from_end else kept.rstrip() + "…"


def _num_columns(text: str) -> int:
    return sum(2 if unicodedata.east_asian_width(char) in "WF" else 1 for char in text)

"""A weights source: the string of the configuration, resolved and verified."""

from __future__ import annotations

import json
import logging
import re
from dataclasses import dataclass
from pathlib import Path

from trainer.weights.packages import PACKAGES, find_package

logger = logging.getLogger(__name__)

SOURCES = (
    "a KerasHub preset name (such as 'bert_base_en_uncased')",
    "'kaggle://...' or 'hf://...'",
    "a local KerasHub, Hugging Face or timm folder",
    "a local '.h5' or '.weights.h5' file",
    *(f"'package:{name}'" for name in PACKAGES),
    "'imagenet'",
    "'random'",
)
_HUBS = ("kaggle://", "hf://", "modelscope://", "gs://")


@dataclass(frozen=True)
class WeightsSource:
    """Where weights come from.

    Args:
        text: str. The source as it was configured.
        kind: str. `"hub"` (to be downloaded), `"folder"` (a preset on this
            machine), `"file"`, `"imagenet"` or `"random"`.
        location: str. Handle for the hub, or path; `""` for the last two kinds.
    """

    text: str
    kind: str
    location: str = ""


def resolve_weights(text: str) -> WeightsSource:
    """Finds a weights source, verifies its checksum where one is known, and logs both.

    Nothing is downloaded or loaded yet.

    Args:
        text: str. One of `SOURCES`.

    Raises:
        ValueError: if it is none of them, or a checksum differs.
        FileNotFoundError: if a local file or folder is missing or incomplete.
        ModuleNotFoundError: if a package of weights is not installed.
    """
    source = _resolve(text)
    verified = ", checksum verified" if text.startswith("package:") else ""
    where = f" from {source.location}{verified}" if source.location else ""
    logger.info("Weights %r: %s%s", text, source.kind, where)
    return source


def _resolve(text: str) -> WeightsSource:
    if text in ("random", "imagenet"):
        return WeightsSource(text, text)
    if text.startswith("package:"):
        path = find_package(text.removeprefix("package:"))
        return WeightsSource(text, "folder" if path.is_dir() else "file", str(path))
    if text.startswith(_HUBS):
        return WeightsSource(text, "hub", text)
    path = Path(text).expanduser()
    if path.is_dir():
        _check_preset_folder(path)
        return WeightsSource(text, "folder", str(path))
    if path.is_file():
        return WeightsSource(text, "file", str(path))
    if re.search(r"[/\\.~]", text):
        raise FileNotFoundError(f"Weights not found: {path.absolute()}. {_expected(text)}")
    if not re.fullmatch(r"\w+", text):
        raise ValueError(f"Unknown weights. {_expected(text)}")
    return WeightsSource(text, "hub", text)


def _expected(text: str) -> str:
    return f"Expected one of: {'; '.join(SOURCES)}. Received: {text!r}."


def _check_preset_folder(folder: Path) -> None:
    config = folder / "config.json"
    if not config.is_file():
        raise FileNotFoundError(
            f"A preset folder has a config.json. Expected: {config.absolute()}. "
            "Make one with `save_to_preset` of a KerasHub model, or copy the whole "
            "Hugging Face or timm folder."
        )
    is_keras = "registered_name" in json.loads(config.read_text(encoding="utf-8"))
    if not is_keras and not any(folder.glob("*.safetensors")):
        raise FileNotFoundError(
            "A Hugging Face or timm folder is converted from safetensors. "
            f"Expected: {folder.absolute() / 'model.safetensors'}. Received: "
            f"{sorted(p.name for p in folder.iterdir())}. Save the model as safetensors first."
        )

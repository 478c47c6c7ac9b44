"""What a search varies: ranges and choices of settings."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from trainer.config import Config
from trainer.overrides import apply_overrides
from trainer.registry import unknown

DEFAULT_SPACE = (
    "train.l2=0.1..10:log",
    "train.logit_adjustment=0..1",
    "train.label_smoothing=0..0.3",
    "train.head_epochs=20..100",
    "model.embedding_scale=3..30:log",
    "model.modality_dropout=0..0.5",
)
"""What matters most where encoders are frozen."""

_SECTIONS = ("model", "train", "augment")


@dataclass(frozen=True)
class Range:
    """Numbers between two bounds, both included.

    Args:
        name: The setting.
        low: Whole where the setting takes whole numbers.
        high: Likewise.
        log: Whether proportions count rather than differences.
    """

    name: str
    low: float
    high: float
    log: bool = False


@dataclass(frozen=True)
class Choice:
    """One of some values.

    Args:
        name: The setting.
        values: As they are written after `--set name=`.
    """

    name: str
    values: tuple[str, ...]


Dimension: TypeAlias = Range | Choice


def parse_space(texts: Sequence[str], config: Config) -> tuple[Dimension, ...]:
    """Reads what is to be varied.

    Args:
        texts: `a.b=LOW..HIGH`, `a.b=LOW..HIGH:log` or `a.b=x|y|z`.
        config: The configuration that is varied.

    Raises:
        ValueError: for a setting that does not exist, a bound or a value that
            it does not take, or what is neither a range nor a choice.
    """
    space = tuple(_parse(text, config) for text in texts)
    for name, times in Counter(dimension.name for dimension in space).items():
        if times > 1:
            raise ValueError(f"--vary can name a setting once. Received: {name} {times} times.")
    return space


def contains(space: Sequence[Dimension], settings: Mapping[str, Any]) -> bool:
    """Says whether settings are of a space: all of its dimensions, and nothing else."""
    return settings.keys() == {dimension.name for dimension in space} and all(
        settings[dimension.name] in dimension.values
        if isinstance(dimension, Choice)
        else dimension.low <= settings[dimension.name] <= dimension.high
        for dimension in space
    )


def read_setting(config: Config, name: str) -> Any:
    """Returns the value of the setting `a.b`; None where a mapping on the way lacks it."""
    node: Any = config
    for key in name.split("."):
        node = node.get(key) if isinstance(node, Mapping) else getattr(node, key, None)
    return node


def _parse(text: str, config: Config) -> Dimension:
    name, _, values = (part.strip() for part in text.partition("="))
    try:
        section = name.split(".")[0]
        if section not in _SECTIONS:
            # Other data would be another problem, whose figures cannot be compared.
            raise ValueError(unknown("section to vary", section, _SECTIONS))
        if "|" in values:
            return _choice(name, values, config)
        if ".." in values:
            return _range(name, values, config)
        raise ValueError("Expected a.b=LOW..HIGH, a.b=LOW..HIGH:log or a.b=x|y|z.")
    except ValueError as error:
        raise ValueError(f"--vary {text}: {error}") from error


def _choice(name: str, text: str, config: Config) -> Choice:
    values = tuple(value.strip() for value in text.split("|"))
    for value in values:
        apply_overrides(config, [f"{name}={value}"])
    return Choice(name, values)


def _range(name: str, text: str, config: Config) -> Range:
    bounds, _, scale = text.partition(":")
    low, high = (
        read_setting(apply_overrides(config, [f"{name}={bound.strip()}"]), name)
        for bound in bounds.split("..", 1)
    )
    for bound in (low, high):
        if isinstance(bound, bool) or not isinstance(bound, int | float):
            raise ValueError(f"{name} takes no range, which is for numbers. Write {name}=x|y|z.")
    if low >= high:
        raise ValueError("The lower bound comes first.")
    if scale not in ("", "log"):
        raise ValueError(unknown("scale", scale, ["log"]))
    if scale and low <= 0:
        raise ValueError("On a log scale the bounds must be above 0.")
    return Range(name, low, high, bool(scale))

"""Writes the page on what spoke for the labels of some products."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from trainer.explained_product import Explanation
from trainer.inputs import InputSpec
from trainer.report.heat_map import draw_heat_map, tell_regions
from trainer.report.page import render_page, write_page

_TOP_WORDS = 6
_MOST_WORDS = 300
_LEAST = 5e-4  # What is shown as 0.0 %.


@dataclass(frozen=True)
class Part:
    """A piece of a text: a word with its score, or what stands between two.

    Args:
        text: str.
        score: float.
        strength: float. Against the strongest word, without its sign.
    """

    text: str
    score: float = 0.0
    strength: float = 0.0


def write_explanation_page(
    path: Path, inputs: Sequence[InputSpec], products: Sequence[Explanation]
) -> None:
    """Writes `explanations.html`, whole or not at all."""
    page = render_page(
        "explanations.html",
        title="What decided",
        products=[_show(inputs, product) for product in products],
    )
    write_page(path, page)


def _show(inputs: Sequence[InputSpec], product: Explanation) -> dict[str, object]:
    pictures, texts, details = [], [], {}
    for spec in inputs:
        value = product.values[spec.name]
        if spec.kind == "image":
            regions = product.regions[spec.name]
            pictures.append(
                {
                    "name": spec.name,
                    "picture": value,
                    "heat": draw_heat_map(regions) if abs(regions).max() > 0 else "",
                    "places": tell_regions(regions),
                }
            )
        elif spec.kind == "text":
            words = product.words[spec.name]
            assert isinstance(value, bytes)
            texts.append(
                {
                    "name": spec.name,
                    "parts": cut_parts(value.decode("utf-8", "replace"), words),
                    "for": _rank(words, 1),
                    "against": _rank(words, -1),
                }
            )
        else:
            details[spec.name] = (
                value.decode("utf-8", "replace") if isinstance(value, bytes) else value
            )
    return {"of": product, "pictures": pictures, "texts": texts, "details": details}


def cut_parts(text: str, words: Sequence[tuple[str, float]]) -> list[Part]:
    """Cuts a text into its words, as `find_words` shows them, and what stands between.

    Args:
        text: str.
        words: In their order, with scores.
    """
    strongest = max((abs(score) for _, score in words), default=0.0) or 1.0
    parts, end = [], 0
    for word, score in words[:_MOST_WORDS]:
        start = text.find(word, end)
        if start < 0:  # Shown otherwise than it stands there, such as broken characters.
            continue
        if start > end:
            parts.append(Part(text[end:start]))
        parts.append(Part(word, score, abs(score) / strongest))
        end = start + len(word)
    if rest := text[end:]:
        parts.append(Part("…" if len(words) > _MOST_WORDS else rest))
    return parts


def _rank(words: Sequence[tuple[str, float]], sign: int) -> list[tuple[str, float]]:
    """Returns different words that speak for the label (1) or against it (-1), strongest first."""
    sums: dict[str, float] = {}
    for word, score in words:
        if any(character.isalnum() for character in word):
            sums[word.lower()] = sums.get(word.lower(), 0.0) + score
    ranked = sorted(sums.items(), key=lambda pair: -sign * pair[1])
    return [pair for pair in ranked[:_TOP_WORDS] if sign * pair[1] > _LEAST]

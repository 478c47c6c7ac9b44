"""What is known about each demo product: which evidence decides its class, and where it is."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

from trainer.demo_catalogue.pictures import Box

SLICE_COLUMNS = ("id", "needs", "language", "wrong_label")


@dataclass(frozen=True)
class Evidence:
    """Ground truth about one product, never an input of a model.

    Args:
        id: str. The product.
        needs: What tells its class from all others: `"picture"`, `"text"`,
            `"both"` together, or `"either"`.
        region: `(left, top, right, bottom)` of the object in pixels, right and
            bottom exclusive; None where the picture is missing or decides nothing.
        words: Words that decide, as they stand in title or description; empty
            where the text is missing or decides nothing.
        distractors: Words of the description that name another topic.
        language: `"en"` or `"zh"`.
        true_label: The right path, such as `"Office > Projector"`.
        wrong_label: True where the row claims another path.
        duplicate_group: int. Shared by a product and its near-duplicates.
        missing: Columns that the row leaves empty, of image, title, description, price.
        shape: The object that is drawn.
        topic: The vocabulary that is written with.
    """

    id: str
    needs: str
    region: Box | None
    words: tuple[str, ...]
    distractors: tuple[str, ...]
    language: str
    true_label: str
    wrong_label: bool
    duplicate_group: int
    missing: tuple[str, ...]
    shape: str
    topic: str


def write_evidence(path: Path, records: Iterable[Evidence]) -> None:
    """Writes one JSON object a line."""
    with path.open("w", encoding="utf-8", newline="\n") as file:
        for record in records:
            file.write(json.dumps(asdict(record), ensure_ascii=False) + "\n")


def load_evidence(path: Path) -> list[Evidence]:
    """Reads what `write_evidence` wrote."""
    with path.open(encoding="utf-8") as file:
        return [_read_record(line) for line in file]


def _read_record(line: str) -> Evidence:
    fields = json.loads(line)
    for name in ("words", "distractors", "missing"):
        fields[name] = tuple(fields[name])
    if fields["region"] is not None:
        fields["region"] = tuple(fields["region"])
    return Evidence(**fields)


def write_slices(path: Path, records: Iterable[Evidence]) -> None:
    """Writes the table by which a report groups results."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(SLICE_COLUMNS)
        for record in records:
            writer.writerow(
                (record.id, record.needs, record.language, str(record.wrong_label).lower())
            )

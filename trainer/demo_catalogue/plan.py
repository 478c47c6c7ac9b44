"""Decides what each product of the catalogue is before anything is drawn or written."""

from __future__ import annotations

import random
from dataclasses import dataclass

from trainer.demo_catalogue.paint import COLOURS, Colour
from trainer.demo_catalogue.taxonomy import CLASSES, PRICES, ProductClass, class_counts

COPY_SHARE = 0.06
WRONG_LABEL_SHARE = 0.02
CHINESE_SHARE = 0.3
MISSING_SHARE = 0.05
"""Of each of picture, text and price."""

# Parts of the text that are lost; both at once half as often as either.
_LOST_TEXT = (
    ("title",),
    ("title",),
    ("description",),
    ("description",),
    ("title", "description"),
)


@dataclass(frozen=True)
class ProductPlan:
    """What one product is.

    Args:
        number: int. Position in the catalogue.
        product_class: Its true class.
        labelled_as: The class that its row claims; another one where the label is wrong.
        origin: int. Number of the product that it nearly duplicates; its own if none.
        copy: int. 0, or n for the n-th near-duplicate of `origin`.
        language: `"en"` or `"zh"`.
        colour: Colour of its body.
        price: float. In euros.
        missing: Columns that its row leaves empty.
    """

    number: int
    product_class: ProductClass
    labelled_as: ProductClass
    origin: int
    copy: int
    language: str
    colour: Colour
    price: float
    missing: tuple[str, ...]


def plan_products(
    num_products: int, seed: int, wrong_label_share: float = WRONG_LABEL_SHARE
) -> list[ProductPlan]:
    """Plans a catalogue: long tail, near-duplicates, wrong labels, gaps.

    A wrong label is that of a class that a person could take the product for:
    one of the same domain, or of the same family.

    Args:
        num_products: int. At least one product a class.
        seed: int. The same seed gives the same plan.
        wrong_label_share: float in [0, 1).

    Raises:
        ValueError: if there are fewer products than classes, or the share is none.
    """
    if not 0 <= wrong_label_share < 1:
        raise ValueError(
            "The share of wrong labels must be at least 0 and below 1. "
            f"Received: {wrong_label_share}."
        )
    counts = class_counts(num_products)
    rng = random.Random(f"{seed}/plan")
    classes = [each for each, count in zip(CLASSES, counts, strict=True) for _ in range(count)]
    rng.shuffle(classes)
    origins = _choose_origins(classes, rng)
    wrong = set(rng.sample(range(num_products), round(wrong_label_share * num_products)))
    missing = _choose_missing(num_products, rng)
    plans: list[ProductPlan] = []
    copies: dict[int, int] = {}
    for number, product_class in enumerate(classes):
        origin = origins[number]
        copies[origin] = copies.get(origin, 0) + (origin != number)
        # A copy shares its original's traits, so both draw them from the same seed.
        traits = random.Random(f"{seed}/{origin}/traits")
        language = "zh" if traits.random() < CHINESE_SHARE else "en"
        others = [each for each in CLASSES if _are_confused(each, product_class)]
        plans.append(
            ProductPlan(
                number=number,
                product_class=product_class,
                labelled_as=rng.choice(others) if number in wrong else product_class,
                origin=origin,
                copy=copies[origin] if origin != number else 0,
                language=language,
                colour=traits.choice(COLOURS),
                price=_draw_price(product_class, traits),
                missing=missing[number],
            )
        )
    return plans


def _are_confused(first: ProductClass, second: ProductClass) -> bool:
    alike = first.category == second.category or first.family == second.family
    return alike and first is not second


def _choose_origins(classes: list[ProductClass], rng: random.Random) -> list[int]:
    """Returns, for each product, the number of its original: mostly its own."""
    first: dict[str, int] = {}
    for number, product_class in enumerate(classes):
        first.setdefault(product_class.path, number)
    # The first product of each class stays an original, so that every copy has one.
    candidates = sorted(set(range(len(classes))) - set(first.values()))
    num_copies = min(len(candidates), round(COPY_SHARE * len(classes)))
    copied = set(rng.sample(candidates, num_copies))
    originals: dict[str, list[int]] = {}
    for number, product_class in enumerate(classes):
        if number not in copied:
            originals.setdefault(product_class.path, []).append(number)
    return [
        rng.choice(originals[each.path]) if number in copied else number
        for number, each in enumerate(classes)
    ]


def _choose_missing(num_products: int, rng: random.Random) -> list[tuple[str, ...]]:
    """Returns the empty columns of each product; none loses picture and words both."""
    share = round(MISSING_SHARE * num_products)
    gaps = rng.sample(range(num_products), 2 * share)
    missing: list[tuple[str, ...]] = [()] * num_products
    for number in gaps[:share]:
        missing[number] = ("image",)
    for number in gaps[share:]:
        missing[number] = rng.choice(_LOST_TEXT)
    for number in rng.sample(range(num_products), share):
        missing[number] += ("price",)
    return missing


def _draw_price(product_class: ProductClass, rng: random.Random) -> float:
    median, sigma = PRICES[product_class.family]
    return round(median * rng.lognormvariate(0, sigma), 2)

"""Draws and writes the planned products, one after the other."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from trainer.demo_catalogue.evidence import Evidence
from trainer.demo_catalogue.pictures import draw_picture
from trainer.demo_catalogue.plan import WRONG_LABEL_SHARE, ProductPlan, plan_products
from trainer.demo_catalogue.taxonomy import evidence_needed
from trainer.demo_catalogue.texts import write_text


@dataclass(frozen=True)
class Product:
    """One finished product.

    Args:
        id: str. Such as `"demo-00042"`.
        jpeg: Its picture; empty where that is missing.
        title: str. Empty where missing.
        description: str. Empty where missing.
        price: float in euros, or None.
        category: Upper level of the label, as the row claims it.
        subcategory: Lower level of the label, as the row claims it.
        evidence: What is known about it.
    """

    id: str
    jpeg: bytes
    title: str
    description: str
    price: float | None
    category: str
    subcategory: str
    evidence: Evidence


def generate_products(
    num_products: int, seed: int, wrong_label_share: float = WRONG_LABEL_SHARE
) -> Iterator[Product]:
    """Yields the products of the demo catalogue in order.

    Args:
        num_products: int. At least one product a class.
        seed: int. The same seed gives the same products, byte for byte, on the
            same versions of Python, NumPy and Pillow.
        wrong_label_share: float. Share of the products that claim another class.

    Raises:
        ValueError: at once, if there are fewer products than classes, or the
            share is none.
    """
    plans = plan_products(num_products, seed, wrong_label_share)
    return (make_product(plan, seed) for plan in plans)


def make_product(plan: ProductPlan, seed: int) -> Product:
    """Draws and writes one product; does not depend on any other."""
    # A near-duplicate starts from the choices of its original.
    key = f"{seed}/{plan.origin}"
    true_class = plan.product_class
    picture = draw_picture(true_class.shape, plan.colour, key, plan.copy)
    text = write_text(true_class.topic, plan.language, plan.colour, key, plan.copy)
    needs = evidence_needed(true_class)
    words: tuple[str, ...] = ()
    if needs != "picture":
        words += text.title_words if "title" not in plan.missing else ()
        words += text.description_words if "description" not in plan.missing else ()
    product_id = f"demo-{plan.number:05d}"
    evidence = Evidence(
        id=product_id,
        needs=needs,
        region=None if needs == "text" or "image" in plan.missing else picture.region,
        words=tuple(dict.fromkeys(words)),
        distractors=text.distractors if "description" not in plan.missing else (),
        language=plan.language,
        true_label=true_class.path,
        wrong_label=plan.labelled_as is not true_class,
        duplicate_group=plan.origin,
        missing=plan.missing,
        shape=true_class.shape,
        topic=true_class.topic,
    )
    return Product(
        id=product_id,
        jpeg=b"" if "image" in plan.missing else picture.jpeg,
        title="" if "title" in plan.missing else text.title,
        description="" if "description" in plan.missing else text.description,
        price=None if "price" in plan.missing else _copy_price(plan),
        category=plan.labelled_as.category,
        subcategory=plan.labelled_as.subcategory,
        evidence=evidence,
    )


def _copy_price(plan: ProductPlan) -> float:
    """Returns the price, a little lower for each further near-duplicate."""
    return round(plan.price * 0.98**plan.copy, 2)

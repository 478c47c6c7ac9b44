"""Which classes the demo catalogue has, and what tells each apart."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

NEEDS = ("picture", "text", "both", "either")


@dataclass(frozen=True)
class ProductClass:
    """One leaf of the two-level taxonomy.

    A product shows its class by two things only: the object that is drawn and
    the topic that is written about. Its price follows its family, in which
    picture and text are all that differs.

    Args:
        category: str. Domain, the upper level.
        subcategory: str. Name of the class, the lower level.
        shape: str. Object in the picture, a key of `shapes.SHAPES`.
        topic: str. Vocabulary of title and description, a key of `english.TOPICS`.
        family: str. Classes with one price law, a key of `PRICES`.
        weight: float. Expected number of products, relative to other classes.
    """

    category: str
    subcategory: str
    shape: str
    topic: str
    family: str
    weight: float

    @property
    def path(self) -> str:
        """Both levels in one string, such as `"Office > Projector"`."""
        return f"{self.category} > {self.subcategory}"


CLASSES = (
    # A grid of two shapes and two topics: each class is one combination of them. The four
    # weights are equal, so that one modality alone leaves a fair coin.
    ProductClass("Wearables", "Sports watch", "watch", "training", "worn", 5),
    ProductClass("Wearables", "Sports ring", "ring", "training", "worn", 5),
    ProductClass("Medical devices", "Patient watch", "watch", "patient", "worn", 5),
    ProductClass("Medical devices", "Patient ring", "ring", "patient", "worn", 5),
    # The second grid.
    ProductClass("Smart home", "Security camera", "dome", "security", "watching", 3.5),
    ProductClass("Smart home", "Intrusion sensor", "sensor", "security", "watching", 3.5),
    ProductClass("Retail devices", "Footfall camera", "dome", "footfall", "watching", 3.5),
    ProductClass("Retail devices", "Footfall sensor", "sensor", "footfall", "watching", 3.5),
    # The third grid.
    ProductClass("Farm devices", "Crop drone", "drone", "crops", "moving", 2.5),
    ProductClass("Farm devices", "Crop rover", "rover", "crops", "moving", 2.5),
    ProductClass("Transport devices", "Delivery drone", "drone", "parcels", "moving", 2.5),
    ProductClass("Transport devices", "Delivery rover", "rover", "parcels", "moving", 2.5),
    # One topic, several shapes: only the picture tells.
    ProductClass("Smart home", "Smart speaker", "speaker", "living", "living", 8),
    ProductClass("Smart home", "Smart lamp", "lamp", "living", "living", 4),
    ProductClass("Smart home", "Smart plug", "plug", "living", "living", 2),
    ProductClass("Industrial automation", "Robot arm", "robot_arm", "plant", "plant", 5),
    ProductClass("Industrial automation", "Control valve", "valve", "plant", "plant", 2.5),
    ProductClass("Industrial automation", "Servo motor", "motor", "plant", "plant", 1.5),
    # One shape, several topics: only the words tell.
    ProductClass("Medical devices", "Blood pressure meter", "meter", "pressure", "meter", 5),
    ProductClass("Medical devices", "Glucose meter", "meter", "glucose", "meter", 2.5),
    ProductClass("Office", "Document printer", "printer", "documents", "printer", 5),
    ProductClass("Retail devices", "Receipt printer", "printer", "receipts", "printer", 2.5),
    # A shape and a topic of their own: either will do.
    ProductClass("Transport devices", "Electric scooter", "scooter", "commuting", "scooter", 4),
    ProductClass("Retail devices", "Barcode scanner", "scanner", "barcodes", "scanner", 2.5),
    ProductClass("Farm devices", "Livestock collar", "collar", "livestock", "collar", 1.5),
    ProductClass("Office", "Projector", "projector", "presentations", "projector", 1),
)

PRICES = {
    "worn": (190.0, 0.5),
    "watching": (120.0, 0.5),
    "moving": (2400.0, 0.5),
    "living": (60.0, 0.6),
    "plant": (1500.0, 0.7),
    "meter": (55.0, 0.4),
    "printer": (240.0, 0.5),
    "scooter": (480.0, 0.4),
    "scanner": (140.0, 0.5),
    "collar": (95.0, 0.5),
    "projector": (620.0, 0.5),
}
"""Price law of each family: median in euros, and sigma of the logarithm."""

_SHAPE_USES = Counter(each.shape for each in CLASSES)
_TOPIC_USES = Counter(each.topic for each in CLASSES)


def evidence_needed(product_class: ProductClass) -> str:
    """Says which modalities it takes to tell a class from all others.

    Returns:
        One of `NEEDS`. A shape or topic that no other class has decides alone.
    """
    picture_decides = _SHAPE_USES[product_class.shape] == 1
    text_decides = _TOPIC_USES[product_class.topic] == 1
    if picture_decides and text_decides:
        return "either"
    if picture_decides:
        return "picture"
    return "text" if text_decides else "both"


def class_counts(num_products: int) -> list[int]:
    """Shares products out among `CLASSES` by weight, at least one each.

    Classes of one weight differ by one product at most.

    Raises:
        ValueError: if there are fewer products than classes.
    """
    if num_products < len(CLASSES):
        raise ValueError(
            "The demo catalogue holds at least one product of each class. "
            f"Expected num_products >= {len(CLASSES)}. Received: num_products={num_products}."
        )
    total = sum(each.weight for each in CLASSES)
    spare = num_products - len(CLASSES)
    shares = [spare * each.weight / total for each in CLASSES]
    counts = [1 + int(share) for share in shares]
    by_remainder = sorted(range(len(CLASSES)), key=lambda i: int(shares[i]) - shares[i])
    for i in by_remainder[: num_products - sum(counts)]:
        counts[i] += 1
    return counts

"""The demo catalogue as a TensorFlow data set, for `tfds.load`.

    import tensorflow_datasets as tfds
    import trainer.demo_catalogue.tfds_builder  # makes the name known

    data = tfds.load("taxofuse_demo", data_dir="demo-tfds")

Needs the extra `tfds`. Everything is generated here; nothing is downloaded.
"""

from __future__ import annotations

import io
import random
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import tensorflow_datasets as tfds
from PIL import Image

from trainer.demo_catalogue.plan import ProductPlan, plan_products
from trainer.demo_catalogue.products import Product, make_product
from trainer.demo_catalogue.taxonomy import CLASSES, NEEDS

_TRAIN_SHARE, _EVAL_SHARE = 0.8, 0.1
"""Of the groups of near-duplicates; the rest is test."""


@dataclass
class DemoConfig(tfds.core.BuilderConfig):  # type: ignore[misc]
    """Which catalogue is generated, such as `DemoConfig(num_products=40)`.

    Args:
        name: str. By default `"products<N>_seed<S>"`, so that no other
            catalogue prepared earlier is taken for this one.
        num_products: int. At least one product a class.
        seed: int. Of the catalogue and of its split.
    """

    name: str = ""
    num_products: int = 1200
    seed: int = 0

    def __post_init__(self) -> None:
        self.name = self.name or f"products{self.num_products}_seed{self.seed}"


class TaxofuseDemo(tfds.core.GeneratorBasedBuilder):  # type: ignore[misc]
    """Builds the data set `taxofuse_demo` with splits train, eval and test.

    Near-duplicates share a split. A missing picture is one black pixel with
    `has_image` false, missing text is empty, a missing price is NaN. Labels
    hold the recorded errors; `true_label` does not.
    """

    VERSION = tfds.core.Version("1.0.0")
    BUILDER_CONFIGS: ClassVar[list[DemoConfig]] = [DemoConfig(description="1200 products")]
    # Nothing is downloaded. Looking for checksums of downloads would import
    # importlib_resources, which tensorflow-datasets 4.9.10 does not declare.
    url_infos: ClassVar[dict[str, Any]] = {}

    def _info(self) -> tfds.core.DatasetInfo:
        paths = [each.path for each in CLASSES]
        return self.dataset_info_from_configs(
            description="Drawn and described smart products with planted evidence.",
            features=tfds.features.FeaturesDict(
                {
                    "id": tfds.features.Text(),
                    "image": tfds.features.Image(shape=(None, None, 3), encoding_format="jpeg"),
                    "has_image": tfds.features.Scalar(np.bool_),
                    "text": tfds.features.Text(),
                    "price": tfds.features.Scalar(np.float32),
                    "label": tfds.features.ClassLabel(names=paths),
                    "category": tfds.features.ClassLabel(
                        names=list(dict.fromkeys(each.category for each in CLASSES))
                    ),
                    "subcategory": tfds.features.ClassLabel(
                        names=[each.subcategory for each in CLASSES]
                    ),
                    "true_label": tfds.features.ClassLabel(names=paths),
                    "needs": tfds.features.ClassLabel(names=list(NEEDS)),
                    "duplicate_group": tfds.features.Scalar(np.int64),
                }
            ),
            supervised_keys=("image", "label"),
        )

    def _split_generators(self, dl_manager: Any) -> dict[str, Iterator[tuple[str, dict[str, Any]]]]:
        del dl_manager  # Nothing is downloaded.
        return {split: self._generate_examples(split) for split in ("train", "eval", "test")}

    def _generate_examples(self, split: str) -> Iterator[tuple[str, dict[str, Any]]]:
        seed = self.builder_config.seed
        plans = plan_products(self.builder_config.num_products, seed)
        groups = _split_groups(plans, seed)[split]
        for plan in plans:
            if plan.origin in groups:
                product = make_product(plan, seed)
                yield product.id, _to_example(product)


def _split_groups(plans: list[ProductPlan], seed: int) -> dict[str, set[int]]:
    """Shares the groups of near-duplicates out among the splits."""
    groups = sorted({plan.origin for plan in plans})
    random.Random(f"{seed}/split").shuffle(groups)
    train = round(_TRAIN_SHARE * len(groups))
    end = train + round(_EVAL_SHARE * len(groups))
    return {
        "train": set(groups[:train]),
        "eval": set(groups[train:end]),
        "test": set(groups[end:]),
    }


def _to_example(product: Product) -> dict[str, Any]:
    return {
        "id": product.id,
        "image": io.BytesIO(product.jpeg or _black_pixel()),
        "has_image": bool(product.jpeg),
        "text": "\n".join(part for part in (product.title, product.description) if part),
        "price": float("nan") if product.price is None else product.price,
        "label": f"{product.category} > {product.subcategory}",
        "category": product.category,
        "subcategory": product.subcategory,
        "true_label": product.evidence.true_label,
        "needs": product.evidence.needs,
        "duplicate_group": product.evidence.duplicate_group,
    }


def _black_pixel() -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (1, 1)).save(buffer, "JPEG")
    return buffer.getvalue()

from __future__ import annotations

import math

import pytest
import tensorflow_datasets as tfds

from trainer.demo_catalogue.products import generate_products

NUM_PRODUCTS = 40


@pytest.fixture(scope="module")
def loaded(tmp_path_factory):
    from trainer.demo_catalogue.tfds_builder import DemoConfig

    splits, info = tfds.load(
        "taxofuse_demo",
        data_dir=str(tmp_path_factory.mktemp("tfds")),
        builder_kwargs={"config": DemoConfig(num_products=NUM_PRODUCTS, seed=3)},
        with_info=True,
    )
    return {name: list(tfds.as_numpy(split)) for name, split in splits.items()}, info


def test_examples_are_those_of_the_catalogue(loaded):
    splits, info = loaded
    examples = {each["id"].decode(): each for split in splits.values() for each in split}
    products = list(generate_products(NUM_PRODUCTS, 3))
    assert sorted(examples) == [product.id for product in products]
    names = {key: info.features[key].int2str for key in ("label", "category", "subcategory")}
    for product in products:
        example = examples[product.id]
        text = "\n".join(part for part in (product.title, product.description) if part)
        assert example["text"].decode() == text
        assert names["category"](example["category"]) == product.category
        assert names["subcategory"](example["subcategory"]) == product.subcategory
        path = f"{product.category} > {product.subcategory}"
        assert names["label"](example["label"]) == path
        assert example["has_image"] == bool(product.jpeg)
        assert (example["image"].shape == (1, 1, 3)) == (not product.jpeg)
        if product.price is None:
            assert math.isnan(example["price"])
        else:
            assert example["price"] == pytest.approx(product.price)


def test_near_duplicates_share_a_split(loaded):
    splits, _ = loaded
    assert set(splits) == {"train", "eval", "test"}
    assert all(splits.values())
    groups = {name: {each["duplicate_group"] for each in split} for name, split in splits.items()}
    assert not groups["train"] & groups["eval"]
    assert not groups["train"] & groups["test"]
    assert not groups["eval"] & groups["test"]


def test_catalogues_of_other_sizes_have_other_names():
    from trainer.demo_catalogue.tfds_builder import DemoConfig, TaxofuseDemo

    assert TaxofuseDemo.BUILDER_CONFIGS[0].name == "products1200_seed0"
    assert DemoConfig(num_products=40, seed=3).name == "products40_seed3"

"""The artifact of statistics: what is in it, and that shards do not matter."""

import dataclasses
import re

import pytest

from components.content import fingerprint
from components.examples import ExamplesInfo
from components.statistics.contents import read_contents
from components.statistics.files import NEW_ROWS, read_new_statistics, read_records, read_statistics
from components.statistics_gen.component import COMPONENT
from components.statistics_gen.executor import execute


@pytest.fixture
def generate(tmp_path):
    """Returns a function that runs StatisticsGen on examples, and returns its folder."""

    def go(examples, name="statistics"):
        folder, scratch = tmp_path / name, tmp_path / f"{name}-scratch"
        folder.mkdir()
        scratch.mkdir()
        outputs = {"statistics": folder}
        execute({"examples": examples}, outputs, COMPONENT.make_parameters({}), scratch)
        return folder

    return go


@pytest.fixture(scope="module")
def splits(shop):
    products = shop.products(60)
    return {"train": products[:48], "eval": products[48:], "test": []}


def test_statistics_of_every_split(shop, splits, generate, tmp_path):
    found = generate(shop.write_examples(tmp_path / "examples", splits))
    datasets = read_statistics(found)
    assert {name: data.num_examples for name, data in datasets.items()} == {
        "train": 48,
        "eval": 12,
        "test": 0,
    }
    assert list(datasets) == ["train", "eval", "test"]
    assert read_records(found, "train")["colour"]["values"]
    hashes, ids = read_contents(found / "Split-eval" / "Contents.parquet")["texts"]
    assert len(hashes) == sum("title" in product.values for product in splits["eval"])
    assert set(ids) <= {product.id for product in splits["eval"]}


def test_the_number_of_shards_does_not_matter(shop, splits, generate, tmp_path):
    found = [
        generate(shop.write_examples(tmp_path / f"examples-{shards}", splits, shards), f"s{shards}")
        for shards in (1, 3)
    ]
    assert fingerprint([found[0]]) == fingerprint([found[1]])


def test_statistics_of_new_rows_stand_beside_those_of_all(shop, splits, generate, tmp_path):
    examples = shop.write_examples(tmp_path / "examples", splits, 3)
    plain = generate(examples, "plain")
    assert not (plain / NEW_ROWS).exists()
    assert read_new_statistics(plain) == read_statistics(plain)
    dataclasses.replace(ExamplesInfo.read(examples), rehearsed=1).write(examples)
    found = generate(examples)
    new = [row for index in range(2) for row in splits["train"][index::3]]
    alone = generate(shop.write_examples(tmp_path / "new", {**splits, "train": new}), "alone")
    datasets = read_new_statistics(found)
    assert {name: data.num_examples for name, data in datasets.items()} == {
        "train": 32,
        "eval": 12,
        "test": 0,
    }
    assert datasets == read_statistics(alone)
    assert read_records(found / NEW_ROWS, "train") == read_records(alone, "train")
    assert read_statistics(found) == read_statistics(plain)
    assert fingerprint([found / "Split-train"]) == fingerprint([plain / "Split-train"])


def test_the_page_shows_every_column_and_runs_nothing_of_others(shop, splits, generate, tmp_path):
    evil = shop.change(splits["train"][0], colour=b"<script>alert(1)</script>")
    changed = {**splits, "train": [evil, *splits["train"][1:]]}
    page = generate(shop.write_examples(tmp_path / "examples", changed)) / "statistics.html"
    html = page.read_text(encoding="utf-8")
    for column in shop.columns:
        assert re.search(rf"<h2>{column.name}</h2>", html)
    assert "<script>alert" not in html
    assert "&lt;script&gt;alert(1)" in html
    assert html.count("<svg") > 20
    assert "http" not in html.replace("http-equiv", "")


def test_missing_statistics_are_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"there is no Split-\*/FeatureStats.pb"):
        read_statistics(tmp_path)


def test_broken_statistics_are_named(tmp_path):
    (tmp_path / "Split-train").mkdir()
    path = tmp_path / "Split-train" / "FeatureStats.pb"
    path.write_bytes(b"\xff\xff\xff")
    with pytest.raises(ValueError, match=f"No statistics can be read from {path}"):
        read_statistics(tmp_path)
    path.write_bytes(b"")
    with pytest.raises(ValueError, match=r"have one dataset.*Received: 0"):
        read_statistics(tmp_path)


@pytest.mark.browser
def test_the_page_fits_a_phone(shop, splits, generate, tmp_path, browser):
    page = generate(shop.write_examples(tmp_path / "examples", splits)) / "statistics.html"
    browser.get(page.as_uri())
    assert browser.execute_script("return document.documentElement.scrollWidth") <= 360
    assert browser.get_log("browser") == []

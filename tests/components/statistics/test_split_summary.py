"""Statistics equal pandas on the same products, however they are cut into shards."""

import json
import tracemalloc

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tensorflow_metadata.proto.v0 import statistics_pb2

from components.examples import Example
from components.statistics.contents import Contents, read_contents, write_contents
from components.statistics.picture_measures import measure_picture
from components.statistics.split_summary import PATH, SplitSummary
from components.statistics.text_measures import words_of

COUNT = 120


@pytest.fixture(scope="module")
def products(shop):
    products = shop.products(COUNT)
    products[3] = Example("p3", 3, {"price": 7.5}, ("image: file not found: a.jpg",))
    products[4] = shop.change(products[4], image=b"no picture", price=b"cheap")
    products[5] = shop.change(products[5], image=products[6].values.get("image", b"x"))
    return products


@pytest.fixture(scope="module")
def frame(products):
    return pd.DataFrame([product.values for product in products])


@pytest.fixture(scope="module")
def features(shop, products):
    dataset = statistics_pb2.DatasetFeatureStatistics()
    shop.summarize(products).write(dataset, "train")
    # What is written is read by the classes of tensorflow-metadata.
    again = statistics_pb2.DatasetFeatureStatistics.FromString(dataset.SerializeToString())
    assert (again.name, again.num_examples) == ("train", COUNT)
    return {feature.path.step[0]: feature for feature in again.features}


def custom(feature):
    return {stat.name: stat for stat in feature.custom_stats}


def ranked(histogram):
    return {bucket.label: bucket.sample_count for bucket in histogram.buckets}


def test_numbers_equal_pandas(features, frame):
    prices = frame.price[frame.price.map(lambda cell: isinstance(cell, float))].dropna()
    prices = prices.astype(np.float64)
    stats = features["price"].num_stats
    assert stats.common_stats.num_non_missing == len(prices)
    assert stats.common_stats.num_missing == COUNT - len(prices)
    assert stats.mean == pytest.approx(prices.mean(), rel=1e-9)
    assert stats.std_dev == pytest.approx(prices.std(ddof=0), rel=1e-9)
    assert (stats.min, stats.max) == (prices.min(), prices.max())
    assert stats.median == prices.median()
    standard, quantiles = stats.histograms
    wanted, edges = np.histogram(prices, 10)
    assert [bucket.sample_count for bucket in standard.buckets] == wanted.tolist()
    np.testing.assert_allclose([bucket.low_value for bucket in standard.buckets], edges[:-1])
    np.testing.assert_allclose(
        [bucket.high_value for bucket in quantiles.buckets],
        prices.quantile(np.arange(1, 11) / 10),
    )
    assert ranked(custom(features["price"])["cells/values"].rank_histogram) == {
        "filled": len(prices),
        "empty": COUNT - len(prices) - 1,
        "broken": 0,
        "mistyped": 1,
    }


@pytest.mark.parametrize("name", ["colour", "category", "subcategory"])
def test_values_equal_pandas(features, frame, name):
    counts = frame[name].dropna().map(bytes.decode).value_counts()
    stats = features[name].string_stats
    assert ranked(stats.rank_histogram) == counts.to_dict()
    assert stats.unique == len(counts)
    assert stats.top_values[0].frequency == counts.max()
    assert stats.common_stats.num_non_missing == counts.sum()
    assert stats.avg_length == pytest.approx(frame[name].dropna().map(len).mean())


def test_label_paths_equal_pandas(features, frame):
    both = frame[["category", "subcategory"]].dropna().map(bytes.decode)
    counts = (both.category + " > " + both.subcategory).value_counts()
    assert ranked(features[PATH].string_stats.rank_histogram) == counts.to_dict()
    source = features[PATH].validation_derived_source
    assert [path.step[0] for path in source.source_path] == ["category", "subcategory"]


def test_texts_equal_pandas(features, frame):
    titles = frame.title.dropna().map(bytes.decode)
    stats = custom(features["title"])
    assert features["title"].string_stats.unique == titles.nunique()
    for name, lengths in (("characters", titles.map(len)), ("words", titles.str.split().map(len))):
        assert stats[f"{name}/mean"].num == pytest.approx(lengths.mean(), rel=1e-9)
        assert stats[f"{name}/std_dev"].num == pytest.approx(lengths.std(ddof=0), rel=1e-9)
        assert stats[f"{name}/median"].num == lengths.median()
    words = titles.map(words_of).map(set).explode().value_counts()
    assert ranked(stats["vocabulary/values"].rank_histogram) == words.to_dict()
    assert stats["vocabulary/rows"].num == len(titles)
    assert ranked(stats["script/values"].rank_histogram) == {"Latin": len(titles)}


def test_pictures_equal_numpy(features, frame):
    sound = frame.image.drop([3, 4]).dropna()
    measured = sound.map(measure_picture)
    stats, feature = custom(features["image"]), features["image"].bytes_stats
    assert feature.common_stats.num_non_missing == len(sound)
    assert feature.unique == sound.nunique() == len(sound) - 1
    assert feature.avg_num_bytes == pytest.approx(sound.map(len).mean(), rel=1e-6)
    assert feature.max_num_bytes_int == sound.map(len).max()
    for name in ("width", "height", "red", "brightness", "sharpness"):
        values = measured.map(lambda one, name=name: getattr(one, name)).astype(float)
        assert stats[f"{name}/mean"].num == pytest.approx(values.mean(), rel=1e-9)
        assert stats[f"{name}/std_dev"].num == pytest.approx(values.std(ddof=0), rel=1e-6, abs=1e-9)
        assert stats[f"{name}/max"].num == values.max()
    formats = ranked(stats["image_format_histogram"].rank_histogram)
    assert formats == {"png": len(sound), "UNKNOWN": 2}


def test_records_to_look_at(shop, products, frame):
    records = shop.summarize(products).records()
    broken = [["p3", "file not found: a.jpg"], ["p4", "not a picture"]]
    assert json.loads(json.dumps(records["image"]["broken"])) == broken
    assert [record for record, _ in records["price"]["mistyped"]] == ["p4"]
    prices = pd.to_numeric(frame.price, errors="coerce").sort_values()
    assert [price for _, price in records["price"]["lowest"]] == prices.head(20).tolist()
    assert [price for _, price in records["price"]["highest"]] == prices[::-1].dropna()[
        :20
    ].tolist()
    first = frame.index[frame.colour == b"red"][:3]
    assert records["colour"]["values"]["red"] == [f"p{row}" for row in first]


@settings(max_examples=15, deadline=None)
@given(
    shards=st.lists(st.integers(0, 4), min_size=COUNT, max_size=COUNT),
    order=st.permutations(range(5)),
)
def test_any_shards_in_any_order_give_the_same_bytes(
    shop, products, tmp_path_factory, shards, order
):
    folder = tmp_path_factory.getbasetemp()

    def written(summary):
        dataset = statistics_pb2.DatasetFeatureStatistics()
        summary.write(dataset, "train")
        write_contents(folder / "contents", summary.contents())
        return (
            dataset.SerializeToString(deterministic=True),
            json.dumps(summary.records()),
            (folder / "contents").read_bytes(),
        )

    parts = [[one for one, of in zip(products, shards, strict=True) if of == n] for n in range(5)]
    merged = SplitSummary(shop.columns, shop.label)
    for place in order:
        merged.merge(shop.summarize(reversed(parts[place])))
    assert written(merged) == written(shop.summarize(products))


def test_contents_tell_who_has_the_same(shop, products, tmp_path):
    twins = [*products[:20], Example("twin", 500, products[0].values)]
    write_contents(tmp_path / "contents", shop.summarize(twins).contents())
    found = read_contents(tmp_path / "contents")
    assert set(found) == {"texts", "file image", "look image"}
    for hashes, ids in found.values():
        assert (np.diff(hashes.astype(object)) >= 0).all()
        assert (hashes == hashes[ids == "twin"]).sum() == 2
        assert set(ids[hashes == hashes[ids == "twin"]]) == {"p0", "twin"}
    assert read_contents(tmp_path / "none") == {}


def test_contents_are_in_order_however_long_an_id_is():
    contents = Contents()
    ids = ["b", "a", "\U0001f3a7", "\uffee", "é", "", "x" * 5_000_000, *map(str, range(20_000))]
    for place, name in enumerate(ids):
        contents.add(2**64 - 1 - place // 7, name)
    tracemalloc.start()
    hashes, found = contents.arrays()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    expected = sorted((2**64 - 1 - place // 7, name) for place, name in enumerate(ids))
    assert list(zip(hashes.tolist(), found, strict=True)) == expected
    assert hashes.dtype == np.uint64
    assert peak < 2**27


def test_no_products_have_statistics(shop):
    dataset = statistics_pb2.DatasetFeatureStatistics()
    shop.summarize([]).write(dataset, "eval")
    assert dataset.num_examples == 0
    assert {feature.path.step[0] for feature in dataset.features} == {
        *(column.name for column in shop.columns),
        PATH,
    }

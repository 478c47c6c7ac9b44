"""Products from files of every kind."""

import sys

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from components.examples import Example, shard_path, write_shard
from components.sources.open_source import open_source
from components.sources.span_pattern import fill_span, find_spans, has_spans


def cells(table):
    """Returns what each column has, `None` where a cell is empty."""
    frame = table.frame.astype(object)
    return frame.where(frame.notna(), None).to_dict("list")


def test_several_tables_are_one(tmp_path):
    for index in range(3):
        frame = pd.DataFrame({"id": [f"{index}a", f"{index}b"], "n": [index, None]})
        frame.to_parquet(tmp_path / f"products-{index}.parquet")
    source = open_source(str(tmp_path / "products-*.parquet"))
    assert cells(source.read()) == {
        "id": ["0a", "0b", "1a", "1b", "2a", "2b"],
        "n": [0, None, 1, None, 2, None],
    }
    assert source.count(100) == 6
    assert [path.name for path in source.files] == [
        f"products-{index}.parquet" for index in range(3)
    ]
    assert [len(table.frame) for table in source.tables(5)] == [2, 2, 2]


def test_tables_that_differ_are_not_read_as_one(tmp_path):
    (tmp_path / "a.csv").write_text("id,x\n1,2\n")
    (tmp_path / "b.csv").write_text("id,y\n1,2\n")
    with pytest.raises(ValueError, match=r"a\.csv has \['id', 'x'\].*b\.csv"):
        open_source(str(tmp_path / "*.csv")).read()
    (tmp_path / "c").mkdir()
    (tmp_path / "c" / "a.csv").write_text("id,x\n1,2\n")
    with pytest.raises(ValueError, match="must stand in one folder"):
        open_source(str(tmp_path / "**" / "a.csv"))


def test_one_more_than_the_limit_is_counted_no_further(tmp_path):
    (tmp_path / "a.csv").write_text("id\n" + "1\n" * 25_000)
    assert open_source(str(tmp_path / "a.csv")).count(30_000) == 25_000
    assert open_source(str(tmp_path / "a.csv")).count(5) > 5


@pytest.fixture
def folder(tmp_path):
    rng = np.random.default_rng(0)
    for name in ("shoes/boots/b.jpg", "shoes/boots/a.PNG", "shoes/x.webp", "loose.jpg"):
        path = tmp_path / "pictures" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(rng.integers(0, 255, (20, 30, 3), np.uint8)).save(path)
    (tmp_path / "pictures" / "shoes" / "notes.txt").write_text("no picture")
    (tmp_path / "pictures" / ".thumbs").mkdir()
    (tmp_path / "pictures" / ".thumbs" / "a.jpg").write_text("hidden")
    return tmp_path / "pictures"


def test_pictures_in_folders_of_their_classes(folder):
    source = open_source(str(folder))
    names = ["loose.jpg", "shoes/boots/a.PNG", "shoes/boots/b.jpg", "shoes/x.webp"]
    assert cells(source.read()) == {
        "id": names,
        "image": names,
        "label": ["", "shoes > boots", "shoes > boots", "shoes"],
    }
    assert source.files == [folder]
    assert [len(table.frame) for table in source.tables(3)] == [3, 1]


def test_a_folder_without_pictures_is_refused(tmp_path):
    (tmp_path / "products.csv").write_text("id\n")
    with pytest.raises(ValueError, match="without a picture"):
        open_source(str(tmp_path))


@pytest.fixture
def records(tmp_path):
    """Writes our own records, and some by TensorFlow alone."""
    import tensorflow as tf

    jpeg = b"\xff\xd8\xff\xe0 not really"
    for split in ("train", "unlabeled"):
        values = {"title": "Mütze 🎧".encode(), "image": jpeg, "price": 2.5}
        examples = [Example(f"{split}-{row}", row, values) for row in range(2)]
        write_shard(shard_path(tmp_path / "examples", split, 0, 1), examples)
    path = tmp_path / "others.tfrecord.gz"
    with tf.io.TFRecordWriter(str(path), "GZIP") as writer:
        for row in range(3):
            feature = {
                "id": tf.train.Feature(int64_list=tf.train.Int64List(value=[row])),
                "sizes": tf.train.Feature(int64_list=tf.train.Int64List(value=[1, 2])),
                "none": tf.train.Feature(),
            }
            if row:
                text = tf.train.BytesList(value=[b"text"])
                feature["text"] = tf.train.Feature(bytes_list=text)
            example = tf.train.Example(features=tf.train.Features(feature=feature))
            writer.write(example.SerializeToString())
    return tmp_path


def test_records_of_ours(records):
    table = open_source(str(records / "examples" / "Split-*" / "data_tfrecord-*")).read()
    assert table.frame["id"].tolist() == ["train-0", "train-1", "unlabeled-0", "unlabeled-1"]
    assert set(table.frame["title"]) == {"Mütze 🎧"}
    assert set(table.frame["image"]) == {b"\xff\xd8\xff\xe0 not really"}
    assert set(table.frame["price"]) == {2.5}
    assert set(table.frame["split"]) == {"train"}
    assert len(table.frame.columns) == 5


def test_records_of_others(records):
    source = open_source(str(records / "others.tfrecord.gz"))
    assert cells(source.read()) == {
        "id": [0, 1, 2],
        "sizes": [[1, 2]] * 3,
        "text": [None, "text", "text"],
    }
    assert [len(table.frame) for table in source.tables(2)] == [2, 1]


@pytest.mark.parametrize("content", [b"id,label\n1,2\n", None])
def test_files_that_are_no_records(records, content):
    path = records / "broken.tfrecord"
    whole = next(records.rglob("data_tfrecord-*")).read_bytes()
    path.write_bytes(content or whole[:-20])
    with pytest.raises(ValueError, match=r"Not TFRecords.*broken\.tfrecord, record \d"):
        open_source(str(path)).read()


def test_a_data_set_of_tensorflow_datasets(tmp_path, monkeypatch):
    from trainer.demo_catalogue.tfds_builder import DemoConfig, TaxofuseDemo

    monkeypatch.setenv("TFDS_DATA_DIR", str(tmp_path))
    config = DemoConfig(num_products=30)
    TaxofuseDemo(data_dir=str(tmp_path), config=config).download_and_prepare()
    source = open_source(f"tfds:taxofuse_demo/{config.name}")
    table = source.read().frame
    assert len(table) == 30
    assert set(table["split"]) == {"train", "eval", "test"}
    # The data set has ids of its own.
    assert sorted(table["id"]) == sorted(f"demo-{row:05d}" for row in range(30))
    assert all(picture.startswith(b"\xff\xd8\xff") for picture in table["image"])
    assert all(" > " in label for label in table["label"])
    assert set(table["has_image"]) == {True, False}
    assert source.files[0].is_dir()
    again = open_source(f"tfds:taxofuse_demo/{config.name}").read().frame
    pd.testing.assert_frame_equal(table, again)


def test_a_data_set_that_there_is_not(monkeypatch, tmp_path):
    monkeypatch.setenv("TFDS_DATA_DIR", str(tmp_path))
    with pytest.raises(ValueError, match="tfds:no_such_thing cannot be prepared"):
        open_source("tfds:no_such_thing").read()
    monkeypatch.setitem(sys.modules, "tensorflow_datasets", None)
    with pytest.raises(ValueError, match=r"pip install taxofuse\[tfds\]"):
        open_source("tfds:mnist").read()


@pytest.mark.parametrize("name", ["none.csv", "none-*.csv"])
def test_what_does_not_exist_is_named(tmp_path, name):
    with pytest.raises(FileNotFoundError, match="none"):
        open_source(str(tmp_path / name))


def test_what_cannot_be_read_is_named(tmp_path):
    (tmp_path / "products.xlsx").write_text("")
    with pytest.raises(ValueError, match=r"Received: products\.xlsx"):
        open_source(str(tmp_path / "products.xlsx"))


def test_spans_have_names():
    assert not has_spans("products.csv")
    assert has_spans("span-{SPAN}.csv")
    assert fill_span("span-{SPAN}/{SPAN:3}.csv", 7) == "span-7/007.csv"


@pytest.mark.parametrize(
    ("table", "there", "spans"),
    [
        ("{SPAN}.csv", ["3.csv", "10.csv", "04.csv", "x.csv", "5.csv.bak"], [3, 10]),
        ("day-{SPAN:3}.csv", ["day-004.csv", "day-5.csv"], [4]),
        ("{SPAN}/part-*.parquet", ["7/part-1.parquet", "7/part-2.parquet", "8/other"], [7]),
        ("{SPAN}/{SPAN}.csv", ["1/1.csv", "1/2.csv"], [1]),
        ("of [2026]/{SPAN}.csv", ["of [2026]/20261123.csv"], [20261123]),
    ],
)
def test_spans_are_those_that_are_there(tmp_path, table, there, spans):
    for name in there:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    assert find_spans(f"{tmp_path}/{table}") == spans

"""What is read of examples is what was read of the table."""

import dataclasses

import numpy as np
import pytest

from components.example_gen.component import COMPONENT
from components.examples import UNLABELED, ExamplesInfo, read_examples, read_table, shard_paths
from components.examples_config import data_config
from trainer.catalogue import load_catalogue
from trainer.config import DataConfig
from trainer.data.examples import read_examples as read_rows
from trainer.data.table import read_table as read_source
from trainer.demo_catalogue.catalogue import write_demo_catalogue


@pytest.fixture(scope="session")
def demo(tmp_path_factory):
    return write_demo_catalogue(tmp_path_factory.mktemp("demo") / "catalogue", num_products=60)


def catalogue_of(folder):
    table = read_table(folder)
    frame = table.frame
    frame.attrs["folder"] = folder
    config = data_config(ExamplesInfo.read(folder))
    return load_catalogue(frame, config, lambda line: None)


def raw_values(catalogue):
    return [
        {
            name: value if isinstance(value, bytes) else np.float32(value).tobytes()
            for name, value in example.values.items()
        }
        for example in read_rows(catalogue.table, catalogue.inputs, catalogue.ids)
    ]


def statuses(catalogue):
    found = read_rows(catalogue.table, catalogue.inputs, catalogue.ids)
    return [sorted(example.problems) for example in found]


def assert_same(table, folder, **settings):
    source = load_catalogue(table, DataConfig(table=str(table), **settings), lambda line: None)
    made = catalogue_of(folder)
    for name in ("inputs", "labels", "ids", "taxonomy", "level_names"):
        assert getattr(made, name) == getattr(source, name), name
    assert made.splits.tolist() == source.splits.tolist()
    assert raw_values(made) == raw_values(source)
    found = {
        example.id: sorted(example.problems)
        for split in ("train", "eval", "test")
        for example in read_examples(folder, split)
    }
    assert [found[id] for id in source.ids] == statuses(source)
    return source


def test_of_the_demo_catalogue(demo, generate):
    folder = generate(demo, label=["category", "subcategory"], rows_per_shard=25)
    assert_same(demo, folder, label=("category", "subcategory"))
    assert len(shard_paths(folder, "train")) == 3


@pytest.mark.parametrize("rows_per_shard", [7, 1000])
def test_of_ugly_cells(ugly, generate, rows_per_shard):
    folder = generate(ugly, label=["department", "category"], rows_per_shard=rows_per_shard)
    assert_same(ugly, folder, label=("department", "category"))
    info = ExamplesInfo.read(folder)
    assert sum(info.rows.values()) == 60
    assert info.rows[UNLABELED] == 2
    assert sum(info.problems.values()) == 4
    (first,) = [e for e in read_table(folder).frame.itertuples() if e.id == "p0"]
    assert first.title.endswith("🎧\u00a0耳机")


def test_of_other_settings(ugly, generate):
    settings = {
        "label": ("category",),
        "ignore": ("shop",),
        "use": ("department",),
        "columns": {"colour": "text"},
        "text": "separate",
        "fractions": (0.5, 0.25, 0.25),
        "seed": 3,
    }
    folder = generate(ugly, **settings)
    source = assert_same(ugly, folder, **settings)
    assert "department" in [spec.name for spec in source.inputs]


def test_of_parquet_with_a_split_of_its_own(ugly, generate, tmp_path):
    frame = read_source(ugly).frame
    frame["picture"] = [
        (ugly.parent / name).read_bytes() if name and (ugly.parent / name).is_file() else None
        for name in frame["picture"]
    ]
    frame["stock"] = np.where(np.arange(60) % 5, np.arange(60), np.nan)
    frame["split"] = np.resize(["train", "train", "val", "test"], 60)
    path = tmp_path / "products.parquet"
    frame.to_parquet(path)
    folder = generate(path, label=["category"], ignore=["department"])
    source = assert_same(path, folder, label=("category",), ignore=("department",))
    assert source.columns["stock"].kind == "number"
    assert ExamplesInfo.read(folder).kinds["split"] == "split"


def test_the_same_again(ugly, generate):
    folders = [generate(ugly, label=["category"], rows_per_shard=20) for _ in range(2)]
    first, second = (
        {
            path.relative_to(folder): path.read_bytes()
            for path in folder.rglob("*")
            if path.is_file()
        }
        for folder in folders
    )
    assert first == second
    assert len(first) > 6


def test_it_depends_on_the_table_and_its_pictures(ugly):
    parameters = COMPONENT.make_parameters({"table": str(ugly), "label": ["category"]})
    read = COMPONENT.reads(parameters)
    assert read[0] == ugly
    # One cell is empty, one picture stands in two rows.
    assert len(read) == 1 + 57
    assert ugly.parent / "images/none.jpg" in read
    without = dataclasses.replace(parameters, ignore=("picture",))
    assert COMPONENT.reads(without) == [ugly]


@pytest.mark.parametrize(
    ("parameters", "told"),
    [
        ({"fractions": [0.5, 0.5]}, "three shares"),
        ({"rows_per_shard": 0}, "rows_per_shard must be at least 1"),
        ({"label": ["categroy"]}, "Did you mean 'category'"),
        ({"columns": {"price": "amount"}}, "kind of column 'price'"),
        ({"earlier": [1]}, "must have {SPAN} in it"),
        ({"table": "{SPAN}.csv", "earlier": [0]}, "must be other spans than 0"),
        ({"rehearse": 0.5}, "needs `earlier`"),
        ({"table": "/none/products.csv"}, "/none/products.csv"),
    ],
)
def test_what_does_not_fit_is_told(ugly, generate, parameters, told):
    with pytest.raises((ValueError, FileNotFoundError), match=told):
        generate(**{"table": ugly, **parameters})


def test_without_a_label_all_is_unlabeled(ugly, generate):
    info = ExamplesInfo.read(generate(ugly))
    assert info.rows == {"train": 0, "eval": 0, "test": 0, UNLABELED: 60}
    assert info.kinds["picture"] == "image"

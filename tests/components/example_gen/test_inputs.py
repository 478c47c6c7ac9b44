"""Examples of what is no table."""

import numpy as np
import pytest
from PIL import Image

from components.examples import Example, ExamplesInfo, read_examples, read_table, write_shard


@pytest.fixture
def pictures(tmp_path):
    rng = np.random.default_rng(0)
    for label in ("boots", "sandals"):
        (tmp_path / "pictures" / label).mkdir(parents=True)
        for index in range(15):
            pixels = Image.fromarray(rng.integers(0, 255, (4, 6, 3), np.uint8))
            pixels.resize((48, 32), 0).save(tmp_path / "pictures" / label / f"{index}.jpg")
    return tmp_path / "pictures"


def test_of_a_folder_of_pictures(pictures, generate):
    folder = generate(pictures, label=["label"])
    info = ExamplesInfo.read(folder)
    assert info.kinds == {"id": "id", "image": "image", "label": "label"}
    assert info.rows == {"train": 24, "eval": 3, "test": 3, "unlabeled": 0}
    for example in read_examples(folder, "eval"):
        assert example.values["image"] == (pictures / example.id).read_bytes()
        assert example.values["label"].decode() == example.id.split("/")[0]


def test_of_examples(ugly, generate):
    """What ExampleGen has written is read again with its splits."""
    first = generate(ugly, label=["category"], ignore=["department"], rows_per_shard=20)
    settings = {"label": ["category"], "columns": ExamplesInfo.read(first).kinds}
    kinds = {
        name: kind
        for name, kind in settings["columns"].items()
        if kind in ("image", "text", "number", "category")
    }
    pattern = str(first / "Split-*" / "data_tfrecord-*")
    second = generate(pattern, label=["category"], columns=kinds, ignore=["department"])
    old, new = (read_table(folder).frame.set_index("id").sort_index() for folder in (first, second))
    assert new["taxofuse/split"].tolist() == old["taxofuse/split"].tolist()
    for name in ("picture", "title", "price", "colour", "category"):
        assert new[name].fillna("").tolist() == old[name].fillna("").tolist(), name


def test_an_interrupted_step_writes_only_what_is_missing(ugly, tmp_path, monkeypatch):
    from components.example_gen import executor, write_part_examples
    from components.example_gen.component import COMPONENT

    parameters = COMPONENT.make_parameters(
        {"table": str(ugly), "label": ["category"], "rows_per_shard": 10}
    )
    whole, again = tmp_path / "whole", tmp_path / "again"
    for folder in (whole, again, tmp_path / "s1", tmp_path / "s2"):
        folder.mkdir()
    executor.execute({}, {"examples": whole}, parameters, tmp_path / "s1")
    written = []
    write = write_part_examples.write_shard

    def fail(path, examples):
        written.append(path.name)
        if len(written) == 8:
            raise MemoryError
        return write(path, examples)

    monkeypatch.setattr(write_part_examples, "write_shard", fail)
    with pytest.raises(MemoryError):
        executor.execute({}, {"examples": again}, parameters, tmp_path / "s2")
    # The tables are not read again.
    monkeypatch.setattr(executor, "make_plan", None)
    executor.execute({}, {"examples": again}, parameters, tmp_path / "s2")
    files = {
        folder: {p.relative_to(folder): p.read_bytes() for p in folder.rglob("*") if p.is_file()}
        for folder in (whole, again)
    }
    assert files[whole] == files[again]
    # Four shards of the third part may have been written for nothing, and `examples.json` is none.
    assert len(written) <= len(files[whole]) - 1 + 4


def test_of_records_of_which_many_in_a_row_have_no_label(tmp_path, generate):
    """Records have no columns: what none of some rows has, is missing among them."""
    labels = [[b"lamp", b"watch"][row % 2] if row < 30 or row >= 60 else b"" for row in range(70)]
    records = [
        Example(f"p{row}", row, {"price": float(row), **({"kind": label} if label else {})})
        for row, label in enumerate(labels)
    ]
    write_shard(tmp_path / "products.tfrecord", records)
    parameters = {"label": ["kind"], "columns": {"price": "number"}, "rows_per_shard": 10}
    for more in ({}, {"exact_rows": 5}):
        folder = generate(tmp_path / "products.tfrecord", **parameters, **more)
        assert ExamplesInfo.read(folder).rows["unlabeled"] == 30
        found = read_table(folder).frame.set_index("id")["kind"]
        assert [found[one.id] or "" for one in records] == [label.decode() for label in labels]
    with pytest.raises(ValueError, match=r"Unknown column.*'kind'.*Received: 'sort'"):
        generate(tmp_path / "products.tfrecord", **{**parameters, "label": ["sort"]})

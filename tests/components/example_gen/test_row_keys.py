"""Near-duplicates by hashes, set beside what comparing all with all finds."""

import io
from itertools import combinations

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from components.example_gen.row_keys import find_common_pairs, group_rows, write_keys
from components.parts import write_part
from trainer.data.duplicates import group_near_duplicates
from trainer.data.table import Table, read_table
from trainer.demo_catalogue.catalogue import write_demo_catalogue
from trainer.inputs import InputSpec

INPUTS = (
    InputSpec("image_bytes", "image", ("image",)),
    InputSpec("text", "text", ("title", "description")),
)
KINDS = {"image": "image", "title": "text", "description": "text"}


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    path = write_demo_catalogue(tmp_path_factory.mktemp("demo") / "catalogue", num_products=300)
    return read_table(path)


def keys_of(table, folder, count=3, common=None):
    texts = ["title", "description"]
    parts = []
    for index, rows in enumerate(np.array_split(np.arange(len(table.frame)), count)):
        part = folder / f"{index}.parquet"
        some = Table(table.frame.iloc[rows], table.folder)
        write_part(part, some, KINDS, [str(row) for row in rows], int(rows[0]) if len(rows) else 0)
        parts.append(part)
    common = find_common_pairs(parts, texts) if common is None else common
    shared = {"images": ["image"], "texts": texts, "common": common}
    paths = []
    for part in parts:
        paths.append(part.with_suffix(".npy"))
        spec = {"part": str(part), "folder": str(table.folder), "keys": str(paths[-1])}
        write_keys(spec, shared)
    return paths


def pairs(groups):
    return {(i, j) for i, j in combinations(range(len(groups)), 2) if groups[i] == groups[j]}


def test_planted_near_duplicates_are_found(demo, tmp_path):
    exact = pairs(group_near_duplicates(demo, INPUTS))
    hashed = pairs(group_rows(keys_of(demo, tmp_path)))
    assert len(exact) >= 10
    assert len(exact & hashed) >= 0.8 * len(exact)
    # Nearly nothing else is taken for one.
    assert len(hashed - exact) <= 0.2 * len(exact)


def test_groups_do_not_depend_on_how_rows_are_cut(demo, tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    # What is common is judged by some rows, which are others in other parts.
    first = group_rows(keys_of(demo, tmp_path / "a", 1, common=[]))
    second = group_rows(keys_of(demo, tmp_path / "b", 7, common=[]))
    assert pairs(first) == pairs(second)


def test_what_many_rows_share_proves_nothing(demo, tmp_path):
    frame = demo.frame.iloc[:50].assign(
        title="a text of more than five words", description="", image=""
    )
    groups = group_rows(keys_of(Table(frame, demo.folder), tmp_path))
    assert len(set(groups.tolist())) == 50


def test_empty_broken_and_blank_pictures_have_no_key(tmp_path):
    blank = io.BytesIO()
    Image.new("RGB", (20, 20), "white").save(blank, "PNG")
    (tmp_path / "blank.png").write_bytes(blank.getvalue())
    (tmp_path / "broken.png").write_bytes(blank.getvalue()[:30])
    names = ["", "none.png", "blank.png", "blank.png", "broken.png", "broken.png"]
    frame = pd.DataFrame({"image": names, "title": "", "description": ""})
    groups = group_rows(keys_of(Table(frame, tmp_path), tmp_path))
    assert len(set(groups.tolist())) == 6


def test_boilerplate_proves_nothing(tmp_path):
    words = [f"word{index}" for index in range(3000)]
    rng = np.random.default_rng(0)
    boilerplate = "only genuine products with free shipping and thirty days replacement guarantee"
    titles = [" ".join(rng.choice(words, 8, replace=False)) for _ in range(300)]
    titles[100], titles[200] = titles[0] + " new", "new " + titles[0]
    frame = pd.DataFrame({"image": "", "title": titles, "description": boilerplate})
    groups = group_rows(keys_of(Table(frame, tmp_path), tmp_path))
    assert groups[0] == groups[100] == groups[200]
    assert len(set(groups.tolist())) == 298


def test_a_chain_is_one_group(tmp_path):
    keys = np.array([[1, 1, 2, 0, 0], [5, 6, 6, 0, 7]], np.uint64)
    np.save(tmp_path / "a.npy", keys[:, :2])
    np.save(tmp_path / "b.npy", keys[:, 2:])
    groups = group_rows([tmp_path / "a.npy", tmp_path / "b.npy"])
    assert groups[0] == groups[1] == groups[2]
    assert len(set(groups.tolist())) == 3


def test_a_part_without_rows_changes_nothing(demo, tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    some = Table(demo.frame.iloc[:20], demo.folder)
    # Twenty rows in 21 parts: the last has none.
    found = group_rows(keys_of(some, tmp_path / "b", 21))
    assert pairs(found) == pairs(group_rows(keys_of(some, tmp_path / "a", 1)))
    assert len(found) == 20

"""Deliveries that come one after the other, and labels that people have reviewed."""

import numpy as np
import pandas as pd
import pytest

from components.example_gen.component import COMPONENT
from components.examples import (
    UNLABELED,
    ExamplesInfo,
    read_examples,
    read_shard,
    read_table,
    shard_paths,
)

WORDS = [f"word{index}" for index in range(200)]
SPLITS = ("train", "eval", "test", UNLABELED)


def products(first, rows, seed=0):
    """Returns rows whose texts have nothing in common."""
    rng = np.random.default_rng([seed, first])
    labels = ["lamp", "watch", "shirt"]
    return pd.DataFrame(
        {
            "id": [f"p{first + row}" for row in range(rows)],
            "title": [" ".join(rng.choice(WORDS, 12)) for _ in range(rows)],
            "category": [labels[row % 3] for row in range(rows)],
        }
    )


def splits_of(folder):
    return {example.id: split for split in SPLITS for example in read_examples(folder, split)}


@pytest.fixture
def write(tmp_path):
    def go(span, frame):
        path = tmp_path / f"span-{span}" / "products.csv"
        path.parent.mkdir(exist_ok=True)
        frame.to_csv(path, index=False)
        return tmp_path / "span-{SPAN}" / "products.csv"

    return go


def test_a_span_is_read_by_its_number(write, generate):
    write(1, products(0, 30))
    pattern = write(2, products(100, 40))
    folder = generate(pattern, label=["category"], span=2)
    assert splits_of(folder).keys() == set(products(100, 40)["id"])
    assert ExamplesInfo.read(folder).span == 2
    assert generate.properties["examples"]["span"] == 2


def test_what_was_held_out_stays_held_out(write, generate):
    first = products(0, 60)
    pattern = write(1, first)
    old = splits_of(generate(pattern, label=["category"], span=1))
    # The second span has the first one again, in another order, and twins of some under new ids.
    twins = first.iloc[::4].assign(id=lambda frame: frame["id"] + "-twin")
    write(2, pd.concat([products(100, 40), first.iloc[::-1], twins]))
    new = splits_of(generate(pattern, label=["category"], span=2, earlier=[1]))
    assert {name: new[name] for name in old} == old
    assert {new[name] for name in twins["id"]} == {"train", "eval", "test"}
    for name in twins["id"]:
        assert new[name] == old[name.removesuffix("-twin")]
    # Without the earlier span, they are drawn anew.
    alone = splits_of(generate(pattern, label=["category"], span=2))
    assert {name: alone[name] for name in old} != old


@pytest.mark.parametrize(("amount", "expected"), [(0.5, 24), (10, 10), (1, 48), (0, 0), (999, 48)])
def test_earlier_training_rows_are_learned_again(write, generate, amount, expected):
    pattern = write(1, products(0, 60))
    write(2, products(100, 30))
    parameters = {"label": ["category"], "span": 2, "earlier": [1]}
    folder = generate(pattern, **parameters, rehearse=amount)
    old = splits_of(generate(pattern, label=["category"], span=1))
    again = {name: split for name, split in splits_of(folder).items() if name in old}
    assert len(again) == expected
    assert all(split == old[name] == "train" for name, split in again.items())
    info = ExamplesInfo.read(folder)
    assert info.notes["rehearsed"] == {"1": expected}
    assert sum(info.rows.values()) == 30 + expected
    assert splits_of(generate(pattern, **parameters, rehearse=amount)) == splits_of(folder)


def test_what_stands_in_the_new_span_is_not_learned_twice(write, generate):
    first = products(0, 60)
    pattern = write(1, first)
    changed = first.iloc[:20].assign(category="lamp")
    write(2, pd.concat([changed, products(100, 30)]))
    folder = generate(pattern, label=["category"], span=2, earlier=[1], rehearse=1)
    ids = [example.id for split in SPLITS for example in read_examples(folder, split)]
    assert len(ids) == len(set(ids))
    table = read_table(folder).frame.set_index("id")
    assert set(table.loc[changed["id"], "category"]) == {"lamp"}


def test_rows_without_ids_get_different_ones(write, generate):
    pattern = write(1, products(0, 30).drop(columns="id"))
    write(2, products(100, 30).drop(columns="id"))
    found = splits_of(generate(pattern, label=["category"], span=2, earlier=[1], rehearse=1))
    assert "0" in found
    assert sum(name.startswith("span-1/") for name in found) == 24


def test_all_spans_of_several_are_known(write, generate):
    frames = {span: products(100 * span, 30) for span in (1, 2, 3)}
    for span, frame in frames.items():
        pattern = write(span, frame)
    parameters = {"label": ["category"], "rehearse": 1.0}
    second = splits_of(generate(pattern, span=2, earlier=[1], **parameters))
    write(3, pd.concat([frames[3], frames[2]]))
    third = splits_of(generate(pattern, span=3, earlier=[1, 2], **parameters))
    assert all(third[name] == second[name] for name in frames[2]["id"])


def test_reviewed_labels_take_the_place_of_others(write, generate, tmp_path, capsys):
    frame = products(0, 60)
    frame.loc[50:, "category"] = ""
    path = write(1, frame).parent.parent / "span-1" / "products.csv"
    before = splits_of(generate(path, label=["category"]))
    reviewed = pd.DataFrame(
        {
            "id": ["p0", "p1", "p2", "p50", "p51", "x"],
            "category": ["watch", frame["category"][1], "", "shirt", "", "lamp"],
            "by": "somebody",
        }
    )
    reviewed.to_csv(tmp_path / "reviewed.csv", index=False)
    folder = generate(path, label=["category"], corrections=str(tmp_path / "reviewed.csv"))
    after = splits_of(folder)
    # Nothing else has moved.
    assert {name: split for name, split in after.items() if split != before[name]} == {
        "p2": UNLABELED,
        "p50": "train",
    }
    labels = read_table(folder).frame.set_index("id")["category"]
    assert labels["p0"] == "watch"
    assert labels["p50"] == "shirt"
    assert labels["p2"] is None
    notes = ExamplesInfo.read(folder).notes["corrections"]
    assert notes == {"changed": 3, "confirmed": 2, "unmatched": 1}
    assert "1 ids match no product, first 'x'" in capsys.readouterr().err


def test_a_reviewed_twin_of_a_held_out_product_is_held_out(write, generate, tmp_path):
    frame = products(0, 60)
    path = write(1, frame).parent.parent / "span-1" / "products.csv"
    before = splits_of(generate(path, label=["category"]))
    held_out = next(name for name, split in before.items() if split == "test")
    title = frame.set_index("id").loc[held_out, "title"]
    twin = pd.DataFrame({"id": ["twin"], "title": [title], "category": [""]})
    write(1, pd.concat([frame, twin]))
    (tmp_path / "reviewed.csv").write_text("id,category\ntwin,lamp\n")
    after = splits_of(
        generate(path, label=["category"], corrections=str(tmp_path / "reviewed.csv"))
    )
    assert after == {**before, "twin": "test"}


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("id,label\np0,lamp\n", "Unknown column.*'category'"),
        ("id,category\np0,lamp\np0,watch\n", "an id has one label. Received: 'p0'"),
    ],
)
def test_reviews_that_make_no_sense_are_refused(write, generate, tmp_path, text, told):
    write(1, products(0, 30))
    (tmp_path / "reviewed.csv").write_text(text)
    with pytest.raises(ValueError, match=told):
        generate(
            tmp_path / "span-1" / "products.csv",
            label=["category"],
            corrections=str(tmp_path / "reviewed.csv"),
        )


def test_row_numbers_name_no_products_of_several_spans(write, generate, tmp_path):
    pattern = write(1, products(0, 30).drop(columns="id"))
    (tmp_path / "reviewed.csv").write_text("id,category\n0,lamp\n")
    reviewed = str(tmp_path / "reviewed.csv")
    with pytest.raises(ValueError, match="no column 'id'"):
        generate(pattern, label=["category"], span=1, corrections=reviewed)
    generate(str(pattern).format(SPAN=1), label=["category"], corrections=reviewed)


def test_more_products_without_labels(write, generate, tmp_path):
    path = write(1, products(0, 30)).parent.parent / "span-1" / "products.csv"
    more = products(500, 10).drop(columns="id")
    more.to_csv(tmp_path / "more.csv", index=False)
    folder = generate(path, label=["category"], unlabeled=str(tmp_path / "more.csv"))
    found = list(read_examples(folder, UNLABELED))
    assert [example.id for example in found] == [f"unlabeled/{row}" for row in range(10)]
    assert [example.row for example in found] == list(range(30, 40))
    assert all("category" not in example.values for example in found)
    assert found[3].values["title"].decode() == more["title"][3]


def test_everything_read_is_known(write, tmp_path):
    pattern = write(1, products(0, 30))
    write(2, products(100, 30))
    parameters = COMPONENT.make_parameters(
        {
            "table": str(pattern),
            "label": ["category"],
            "span": 2,
            "earlier": [1],
            "corrections": str(tmp_path / "c.csv"),
            "unlabeled": str(tmp_path / "u.csv"),
        }
    )
    assert COMPONENT.reads(parameters) == [
        tmp_path / "span-2" / "products.csv",
        tmp_path / "span-1" / "products.csv",
        tmp_path / "u.csv",
        tmp_path / "c.csv",
    ]


@pytest.mark.parametrize("exact_rows", [50_000, 10])
def test_many_rows_go_the_same_way(write, generate, exact_rows):
    """With hashes in place of comparing all with all, everything above holds."""
    first = products(0, 300)
    pattern = write(1, first)
    parameters = {"label": ["category"], "exact_rows": exact_rows, "rows_per_shard": 70}
    old = splits_of(generate(pattern, span=1, **parameters))
    twins = first.iloc[::4].assign(id=lambda frame: frame["id"] + "-twin")
    write(2, pd.concat([products(1000, 200), first.iloc[::-1], twins]))
    folder = generate(pattern, span=2, earlier=[1], rehearse=1.0, **parameters)
    new = splits_of(folder)
    assert all(new[name] == split for name, split in old.items())
    assert all(new[name] == old[name.removesuffix("-twin")] for name in twins["id"])
    rows = ExamplesInfo.read(folder).rows
    assert sum(rows.values()) == 575
    assert rows["train"] == pytest.approx(460, abs=12)
    assert rows["eval"] == pytest.approx(57, abs=8)


def test_a_split_of_ones_own_among_many_rows(write, generate):
    frame = products(0, 60).assign(split=np.resize(["train", "train", "valid", "test"], 60))
    frame.loc[7, "category"] = ""
    path = str(write(1, frame)).format(SPAN=1)
    parameters = {"label": ["category"], "rows_per_shard": 11}
    exact = generate(path, **parameters)
    hashed = generate(path, exact_rows=5, **parameters)
    assert splits_of(exact) == splits_of(hashed)
    assert ExamplesInfo.read(hashed).rows == {"train": 30, "eval": 15, "test": 14, UNLABELED: 1}


def test_rows_of_earlier_spans_have_shards_of_their_own(write, generate):
    for span in (1, 2, 3):
        pattern = write(span, products(100 * span, 30))
    parameters = {"label": ["category"], "rows_per_shard": 20, "span": 3, "earlier": [1, 2]}
    folder = generate(pattern, **parameters, rehearse=1.0)
    paths, info = shard_paths(folder, "train"), ExamplesInfo.read(folder)
    assert info.rehearsed == 4
    new, old = paths[: -info.rehearsed], paths[-info.rehearsed :]
    new, old = ([one.id for path in some for one in read_shard(path)] for some in (new, old))
    assert len(old) == 48
    assert {int(name[1:]) // 100 for name in old} == {1, 2}
    assert {int(name[1:]) // 100 for name in new} == {3}
    assert ExamplesInfo.read(generate(pattern, **parameters)).rehearsed == 0

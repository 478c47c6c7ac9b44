"""Every ugly row comes back, in its place, with its status."""

from __future__ import annotations

import json
import struct
import zlib

import numpy as np
import pandas as pd
import pytest
from PIL import Image

LAMP = {"title": "desk lamp light bulb", "description": "bright shade", "price": "40"}
BROKEN, OK = "truncated or broken", "ok"


def pixel_bomb(side):
    """Returns a valid PNG of `side` x `side` black pixels, in a few kilobytes."""

    def chunk(kind, data):
        checksum = struct.pack(">I", zlib.crc32(kind + data))
        return struct.pack(">I", len(data)) + kind + data + checksum

    header = struct.pack(">IIBBBBB", side, side, 1, 0, 0, 0, 0)
    packer = zlib.compressobj(9)
    line = bytes(1 + -(-side // 8))
    data = b"".join(packer.compress(line) for _ in range(side)) + packer.flush()
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", data) + chunk(b"IEND", b"")
    )


@pytest.fixture(scope="module")
def pictures(shop):
    """Writes ugly pictures beside the shop's; returns their paths by name."""
    folder = shop.parent / "ugly"
    folder.mkdir()
    picture = Image.open(shop.parent / "pictures" / "0.jpg").convert("RGB").resize((300, 200))

    def save(name, image, **options):
        image.save(folder / name, **options)

    save("plain.jpg", picture)
    save("alpha.png", picture.convert("RGBA"))
    save("cmyk.jpg", picture.convert("CMYK"))
    save("animated.gif", picture, save_all=True, append_images=[Image.new("RGB", (300, 200))])
    whole = (folder / "plain.jpg").read_bytes()
    (folder / "truncated.jpg").write_bytes(whole[: len(whole) // 2])
    (folder / "empty.jpg").write_bytes(b"")
    (folder / "page.jpg").write_bytes(b"<html>not found</html>")
    (folder / "bomb.png").write_bytes(pixel_bomb(20_000))
    return {path.name: f"ugly/{path.name}" for path in folder.iterdir()}


@pytest.fixture(scope="module")
def cases(pictures):
    """Returns `(cells, part of the status)` of each row."""
    return [
        (LAMP, OK),
        ({**LAMP, "picture": "ugly/nowhere.jpg"}, "picture: file not found: ugly/nowhere.jpg"),
        ({**LAMP, "picture": pictures["truncated.jpg"]}, BROKEN),
        ({**LAMP, "picture": pictures["empty.jpg"]}, "empty file"),
        ({**LAMP, "picture": pictures["page.jpg"]}, "not a picture"),
        ({**LAMP, "picture": pictures["alpha.png"]}, OK),
        ({**LAMP, "picture": pictures["cmyk.jpg"]}, OK),
        ({**LAMP, "picture": pictures["animated.gif"]}, OK),
        ({**LAMP, "picture": pictures["bomb.png"]}, "too many pixels"),
        ({**LAMP, "title": ""}, OK),
        ({**LAMP, "description": "bright lamp " * 8334}, OK),
        ({**LAMP, "title": "台灯 💡👩‍👩‍👧 lamp"}, OK),
        ({**LAMP, "price": "NaN"}, OK),
        ({**LAMP, "price": "1,299.00"}, OK),
        ({**LAMP, "price": "1299"}, OK),
        ({**LAMP, "price": "cheap!"}, "price: not a number: 'cheap!'"),
        ({**LAMP, "colour": "never seen before"}, OK),
        ({"price": "cheap!"}, "price: not a number: 'cheap!'; nothing to go by"),
        ({}, "nothing to go by"),
        ({"title": "💡"}, OK),
        ({**LAMP, "title": 'a "quoted", line\nbreak\ttab \u2028'}, OK),
        (LAMP, OK),
    ]


@pytest.fixture(scope="module")
def frame(cases):
    names = ["title", "description", "price", "colour", "picture"]
    rows = [{name: cells.get(name, "") for name in names} for cells, _ in cases]
    ids = [f"row {row}" for row in range(len(rows) - 1)]
    # The last one has the id of the first, and there is a column nobody knows.
    return pd.DataFrame(rows).assign(id=[*ids, ids[0]], extra="?")


def read(path):
    if path.suffix == ".csv":
        return pd.read_csv(path, dtype={"id": str}, keep_default_na=False)
    return pd.read_parquet(path) if path.suffix == ".parquet" else read_lines(path)


def read_lines(path):
    lines = path.read_text(encoding="utf-8").split("\n")
    return pd.DataFrame([json.loads(line) for line in lines[:-1]])


@pytest.fixture(scope="module")
def predict(trained, shop, call):
    """Returns a function that writes a table beside the shop's and answers it."""

    def run(frame, out, source="ugly.csv", *more):
        table = shop.parent / source
        if table.suffix == ".parquet":
            frame.to_parquet(table)
        else:
            frame.to_csv(table, index=False)
        return call("predict", "--model", trained.folder, "--data", table, "--out", out, *more)

    return run


@pytest.fixture(scope="module")
def answers(predict, frame, tmp_path_factory):
    out = tmp_path_factory.mktemp("answers") / "answers.csv"
    done = predict(frame, out)
    assert done.code == 0, done.stderr
    assert done.stdout.strip() == str(out)
    return read(out)


def test_every_row_comes_back_in_order_with_its_status(answers, frame, cases):
    assert list(answers.columns) == [
        "id",
        "label",
        "confidence",
        "status",
        "department",
        "category",
    ]
    assert answers["id"].tolist() == frame["id"].tolist()
    for status, (cells, expected) in zip(answers["status"], cases, strict=True):
        assert (status == OK) == (expected == OK), (status, cells)
        assert expected in status
    assert answers["confidence"].between(1 / 3, 1).all()


def test_levels_are_the_parts_of_the_label(answers):
    joined = answers["department"] + " > " + answers["category"]
    assert joined.tolist() == answers["label"].tolist()


def test_ugly_rows_are_answered_from_what_they_have(answers, cases):
    def confidence(**cells):
        return answers["confidence"][next(i for i, c in enumerate(cases) if c[0] == LAMP | cells)]

    plain = confidence()
    for name in ("ugly/nowhere.jpg", "ugly/truncated.jpg", "ugly/page.jpg", "ugly/bomb.png"):
        assert confidence(picture=name) == pytest.approx(plain, abs=1e-5), name
    assert confidence(price="cheap!") == pytest.approx(confidence(price="NaN"), abs=1e-5)
    assert confidence(price="1,299.00") == pytest.approx(confidence(price="1299"), abs=1e-5)
    assert abs(confidence(price="1299") - plain) > 1e-5
    # The same picture however it is stored, within what JPEG and 256 colours lose.
    stored = [confidence(picture=f"ugly/{n}") for n in ("alpha.png", "cmyk.jpg", "animated.gif")]
    assert np.ptp(stored) < 0.05
    assert abs(stored[0] - plain) > 1e-5


def test_other_formats_and_batch_sizes_say_the_same(predict, frame, answers, tmp_path):
    done = predict(frame, tmp_path / "a.jsonl", "ugly.parquet", "--batch-size", "5")
    assert done.code == 0, done.stderr
    done = predict(frame, tmp_path / "a.parquet")
    assert done.code == 0, done.stderr
    for name in ("a.jsonl", "a.parquet"):
        found = read(tmp_path / name)
        assert list(found.columns) == list(answers.columns)
        for column in ("id", "label", "status", "department"):
            assert found[column].tolist() == answers[column].tolist(), name
        np.testing.assert_allclose(found["confidence"], answers["confidence"], atol=1e-5)
    assert not list(tmp_path.glob(".partial*"))


def test_missing_columns_are_named_in_every_row(predict, frame, tmp_path):
    done = predict(frame[["id", "title"]], tmp_path / "a.csv")
    assert done.code == 0, done.stderr
    for status in read(tmp_path / "a.csv")["status"]:
        for name in ("price", "picture", "colour", "description"):
            assert f"column {name!r} is missing" in status


@pytest.mark.parametrize("suffix", [".csv", ".jsonl", ".parquet"])
def test_no_rows_give_a_table_without_rows(predict, frame, tmp_path, suffix):
    out = tmp_path / f"a{suffix}"
    done = predict(frame.iloc[:0], out)
    assert done.code == 0, done.stderr
    assert len(read(out)) == 0
    if suffix != ".jsonl":
        assert "status" in read(out).columns


def test_a_table_with_none_of_the_columns_is_refused(predict, tmp_path):
    done = predict(pd.DataFrame({"name": ["x"], "cost": [1]}), tmp_path / "a.csv")
    assert done.code == 2
    assert "none of the columns that this model reads" in done.stderr
    assert "'picture'" in done.stderr
    assert "['name', 'cost']" in done.stderr
    assert not (tmp_path / "a.csv").exists()


def test_other_endings_are_refused_before_any_work(predict, frame, tmp_path):
    done = predict(frame, tmp_path / "a.xlsx")
    assert done.code == 2
    assert "['.csv', '.jsonl', '.parquet']" in done.stderr


@pytest.fixture(scope="module")
def ugly_run(shop, frame, run_arguments, call, tmp_path_factory):
    """Runs the main job on the shop's table with the ugly rows in it."""
    ugly = frame.assign(department="home", category="lamps")
    ugly.loc[3, "category"] = ""
    table = shop.parent / "shop_and_ugly.csv"
    products = pd.read_csv(shop, dtype=str, keep_default_na=False)
    pd.concat([products, ugly]).fillna("").to_csv(table, index=False)
    settings = ("train.head_epochs=1", "train.study=false", "train.refit=never")
    more = [part for setting in settings for part in ("--set", setting)]
    workdir = tmp_path_factory.mktemp("ugly") / "w"
    return call(*run_arguments(table, workdir, *more), folder=workdir)


def test_run_takes_the_same_rows_and_says_what_it_left_out(ugly_run):
    assert ugly_run.code == 0, ugly_run.stderr
    assert "1 rows left out: no label" in ugly_run.stderr
    assert "rows have problems" in ugly_run.stderr
    report = (ugly_run.folder / "report.html").read_text(encoding="utf-8")
    for part in ("no label", "too many pixels", "file not found", BROKEN, "cheap!"):
        assert part in report, part


@pytest.mark.parametrize(
    ("rows", "label", "message"),
    [
        (0, "department", "At least two classes need rows. Received: 0 labelled rows of 0"),
        (1, "department", "At least two classes need rows. Received: 1 labelled rows of 1"),
        (72, "departmant", "Did you mean 'department'?"),
        (72, "", "Which column is the label? Name it with --label"),
    ],
)
def test_run_refuses_a_table_it_cannot_learn_from(shop, call, tmp_path, rows, label, message):
    table = tmp_path / "t.csv"
    pd.read_csv(shop, dtype=str).head(rows).to_csv(table, index=False)
    arguments = ["run", "--data", table, "--workdir", tmp_path / "w", "--config", "tiny"]
    done = call(*arguments, *(["--label", label] if label else []))
    assert done.code == 2
    assert message in done.stderr
    assert not (tmp_path / "w" / "pipeline" / "Transform").exists()

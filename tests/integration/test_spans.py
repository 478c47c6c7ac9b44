"""Deliveries of data: a model stays while they are alike, and is replaced when they are not."""

from __future__ import annotations

import json

import pandas as pd
import pytest

from components.commands.workdir import SERVING
from components.content import fingerprint

ROWS = 400
# What a network this small makes of so few rows is another test's matter.
LENIENT = [
    word
    for name in ("accuracy_loss", "recall_loss", "robust_loss", "calibration_loss")
    for word in ("--param", f"Evaluator.max_{name}=1")
] + ["--param", "Evaluator.max_calibration_error=1", "--param", "Evaluator.class_rows=1000"]


@pytest.fixture(scope="module")
def deliveries(tmp_path_factory, call):
    """Returns the pattern of three tables: two of the same shop, then one with other prices."""
    folder = tmp_path_factory.mktemp("deliveries")
    for span in range(3):
        target = folder / f"span-{span}"
        done = call("demo-data", "--out", target, "--products", ROWS, "--seed", span + 10)
        assert done.code == 0, done.stderr
        table = pd.read_csv(target / "products.csv", dtype=str, keep_default_na=False)
        table["id"] = [f"{span}-{name}" for name in table["id"]]
        if span == 2:
            table["price"] = [
                f"{float(price) * 3:.2f}" if price else "" for price in table["price"]
            ]
        table.to_csv(target / "products.csv", index=False)
    return folder / "span-{SPAN}" / "products.csv"


@pytest.mark.slow
def test_a_model_is_replaced_when_its_data_change(deliveries, call, tmp_path):
    workdir = tmp_path / "run"

    def run(span, *more):
        done = call(
            *("pipeline", "run", "--data", deliveries, "--span", span, "--workdir", workdir),
            *("--label", "category,subcategory", "--config", "tiny", *more),
            *("--set", "train.head_epochs=20", *LENIENT),
        )
        assert done.code == 0, done.stderr
        return done

    def versions():
        return sorted(int(path.name) for path in (workdir / SERVING).glob("[0-9]*"))

    assert "there is no model of an earlier span" in run(0).stderr
    assert versions() == [1]
    alike = run(1)
    assert "span 1: nothing has changed" in alike.stdout
    assert versions() == [1]
    changed = run(2)
    assert "Training, because The column 'price' has changed" in changed.stderr
    assert versions() == [1, 2]
    (last,) = [
        told
        for path in (workdir / "pipeline" / "Evaluator" / "blessing").glob("*/blessing.json")
        if (told := json.loads(path.read_text()))["rows"]["span"] == 2
    ]
    assert last["earlier rows"]["span"] == 0
    assert last["rows"]["baseline"]["rows_learned_from"] == 0
    back = call("pipeline", "rollback", "--workdir", workdir)
    assert back.code == 0, back.stderr
    assert versions() == [1, 2, 3]
    assert fingerprint([workdir / SERVING / "3"]) == fingerprint([workdir / SERVING / "1"])

import numpy as np
import pandas as pd
import pytest

from trainer.data.table import read_table
from trainer.next_labels import COLUMNS, choose_products
from trainer.predictor import Predictor


@pytest.fixture(scope="module")
def predictor(trained):
    return Predictor(trained.folder)


def unlabelled(shop, rows):
    """Returns a table of some rows, without labels, beside the shop's pictures."""
    frame = pd.read_csv(shop, dtype=str, keep_default_na=False)
    return frame.iloc[rows].drop(columns=["department", "category", "category_path", "shelf"])


def write(shop, name, frame):
    frame.to_csv(shop.with_name(name), index=False)
    return shop.with_name(name)


def test_the_command_writes_the_most_useful_first(shop, trained, call, tmp_path):
    table = write(shop, "new.csv", unlabelled(shop, range(20, 60)))
    arguments = ["--model", trained.folder, "--unlabeled", table, "--budget", 5]
    done = call("select", *arguments, "--strategy", "margin", "--out", tmp_path / "next.csv")
    assert done.code == 0, done.stderr
    assert done.stdout == f"{tmp_path / 'next.csv'}\n"
    frame = pd.read_csv(tmp_path / "next.csv")
    assert list(frame.columns) == list(COLUMNS)
    assert len(set(frame["id"])) == 5
    assert frame["margin"].is_monotonic_increasing
    answers = Predictor(trained.folder).answer(read_table(table))
    assert frame["margin"][0] == pytest.approx(
        np.diff(np.sort(answers.scores, axis=1)[:, -2:]).min(), abs=1e-6
    )


def test_near_duplicates_are_chosen_once_and_labelled_ones_never(shop, predictor):
    frame = unlabelled(shop, [20, 21, 22, 23, 24])
    twice = pd.concat([frame, frame.assign(id=frame["id"] + "x")], ignore_index=True)
    table = read_table(write(shop, "twice.csv", twice))
    labelled = read_table(write(shop, "labelled.csv", unlabelled(shop, [21, 24])))
    found = choose_products(predictor, table, labelled, 10, "core_set")
    assert sorted(found["id"]) == ["p20", "p22", "p23"]
    assert (found["near_duplicates"] == 1).all()


def test_a_product_with_nothing_to_go_by_is_not_chosen(shop, predictor):
    frame = unlabelled(shop, [20, 22])
    columns = [name for spec in predictor.card.inputs for name in spec.columns]
    frame.loc[frame.index[0], columns] = ""
    found = choose_products(predictor, read_table(write(shop, "e.csv", frame)), None, 2, "random")
    assert found["id"].tolist() == ["p22"]
    with pytest.raises(ValueError, match="No product is left to choose from 1 rows"):
        empty = read_table(write(shop, "e.csv", frame.iloc[:1]))
        choose_products(predictor, empty, None, 2, "random")


def test_embeddings_are_of_length_one_and_of_the_same_answers(shop, predictor):
    table = read_table(write(shop, "new.csv", unlabelled(shop, range(12))))
    answers, embeddings = predictor.embed(table, batch_size=5)
    np.testing.assert_allclose(np.linalg.norm(embeddings, axis=1), 1, atol=1e-5)
    np.testing.assert_allclose(answers.scores, predictor.answer(table).scores, atol=1e-5)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"--budget": 0}, "--budget must be at least 1"),
        ({"--strategy": "badger"}, "Did you mean 'badge'?"),
        ({"--out": "next.txt"}, "--out must end in .csv"),
    ],
)
def test_a_wrong_call_says_what_to_do(change, message, shop, trained, call, tmp_path):
    options = {
        "--model": trained.folder,
        "--unlabeled": shop,
        "--budget": 2,
        "--out": tmp_path / "next.csv",
        **change,
    }
    done = call("select", *(word for option in options.items() for word in option))
    assert done.code == 2
    assert message in done.stderr

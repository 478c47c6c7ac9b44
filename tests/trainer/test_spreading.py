from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from scipy.stats import entropy

from trainer.config import Config, DataConfig, ModelConfig, TrainConfig
from trainer.run import Run
from trainer.sample import Sample
from trainer.spreading import (
    _ALPHA,
    _GAMMA,
    _NAME_STRENGTH,
    _NUM_NEIGHBORS,
    certainty,
    compare_names,
    propagate,
    spread_labels,
)

WORDS = {"a": "mug tea pot cup saucer kettle", "b": "rake spade hose seed soil lawn"}


def test_labels_spread_as_in_the_paper():
    """Equations 9 and 10 of arXiv:1904.04717, in dense algebra, then the masses of classes."""
    rng = np.random.default_rng(0)
    embeddings = rng.normal(size=(60, 5))
    class_ids = np.array([0, 1, 2, 0])
    unit = embeddings / np.linalg.norm(embeddings, axis=1, keepdims=True)
    cosines = unit @ unit.T
    np.fill_diagonal(cosines, -np.inf)
    nearest = np.argsort(-cosines, axis=1)[:, :_NUM_NEIGHBORS]
    affinity = np.zeros((60, 60))
    for row, columns in enumerate(nearest):
        affinity[row, columns] = np.maximum(cosines[row, columns], 0) ** _GAMMA
    affinity = affinity + affinity.T
    scale = 1 / np.sqrt(affinity.sum(axis=1))
    graph = affinity * scale[:, None] * scale
    flows = np.linalg.solve(np.eye(60) - _ALPHA * graph, np.eye(60, 4) @ np.eye(3)[class_ids])[4:]
    flows *= np.array([2, 1, 1]) / flows.sum(axis=0)
    expected = flows / flows.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(propagate(embeddings, np.eye(3)[class_ids]), expected, atol=1e-4)


def test_labels_go_along_chains():
    """On two arcs, half of the rows are nearer to the label of the other one."""
    angles = np.linspace(0, np.pi / 2, 40)
    arcs = [np.stack([np.cos(angles), np.sin(angles), np.full(40, z)], 1) for z in (-0.5, 0.5)]
    rows = np.concatenate([arcs[0][:1], arcs[1][-1:], arcs[0][1:], arcs[1][:-1]])
    found = propagate(rows, np.eye(2)).argmax(axis=1)
    np.testing.assert_array_equal(found, np.repeat([0, 1], 39))


def test_what_no_label_reaches_is_unsure():
    far = np.eye(50)[:, :2].copy()
    far[:25] = [1, 0]
    far[25:] = [0, 1]
    shares = propagate(far, np.array([[0.0, 1.0, 0.0]]))
    np.testing.assert_allclose(shares[-25:], 1 / 3)
    assert shares[:24].argmax(axis=1).tolist() == [1] * 24
    np.testing.assert_allclose(certainty(shares), [1] * 24 + [0] * 25, atol=1e-6)


def test_names_count_by_standard_scores():
    """By hand: class 0 has two texts, one of half the weight; class 1 one; class 2 none."""
    rng = np.random.default_rng(0)
    texts, called = rng.normal(size=(9, 4)), rng.normal(size=(3, 4))
    names = Sample.of([5, 6, 7], [0, 0, 1], [1.0, 0.5, 1.0])
    unit, unit_called = (of / np.linalg.norm(of, axis=1, keepdims=True) for of in (texts, called))
    cosines = unit @ unit_called.T
    expected = np.ones((9, 3))
    for index, cosine in enumerate((cosines[:, 0] / 1.5 + cosines[:, 1] / 3, cosines[:, 2])):
        expected[:, index] = np.exp(_NAME_STRENGTH * (cosine - cosine.mean()) / cosine.std())
    np.testing.assert_allclose(compare_names(texts, called, names, 3), expected)


def test_a_row_without_text_is_what_the_network_says():
    """Embeddings of absent texts are those of an empty text, which is like some name or other."""
    rng = np.random.default_rng(0)
    arrays = {
        "text_bert": rng.normal(size=(12, 4)),
        "text_present": np.arange(12) != 11,
    }
    reader = SimpleNamespace(
        name="text_bert",
        encoder=SimpleNamespace(pretrained=True, adapts=False),
        input=SimpleNamespace(kind="text", name="text"),
    )
    sample, names = Sample.of([0, 1, 2], [0, 1, 0]), Sample.of([3, 4], [0, 1])
    scores = rng.dirichlet(np.ones(2), 7)
    spread = spread_labels([reader], arrays, sample, names, np.arange(5, 12), scores)
    np.testing.assert_allclose(spread.answers[-1], scores[-1], atol=1e-6)
    assert np.abs(spread.answers[:-1] - scores[:-1]).min() > 1e-3
    np.testing.assert_allclose(spread.answers.sum(axis=1), 1, atol=1e-6)


def test_certainty_is_that_of_the_paper():
    shares = np.random.default_rng(0).dirichlet(np.ones(4), 10)
    np.testing.assert_allclose(certainty(shares), 1 - entropy(shares, axis=1) / np.log(4))
    assert certainty(np.eye(3)).tolist() == [1, 1, 1]


@pytest.fixture
def tables(tmp_path):
    """Writes a table of two classes, a third of it held out, and one without labels."""
    rng = np.random.default_rng(0)

    def rows(count):
        for row in range(count):
            label = list(WORDS)[row % 2]
            yield label, f"{' '.join(rng.choice(WORDS[label].split(), 5))} no{rng.integers(10**6)}"

    labelled = pd.DataFrame(rows(24), columns=["label", "title"])
    labelled["split"] = ["train"] * 12 + ["eval"] * 4 + ["test"] * 8
    labelled.loc[[0, 1], "label"] = ""
    more = pd.DataFrame(rows(30), columns=["wrong", "title"])
    more.loc[0, "title"] = labelled["title"][23]
    labelled.to_csv(tmp_path / "labelled.csv", index=False)
    more.to_csv(tmp_path / "more.csv", index=False)
    return tmp_path / "labelled.csv", tmp_path / "more.csv"


def prepare(folder, table, unlabeled="", encoders=None):
    config = Config(
        data=DataConfig(
            str(table), label=("label",), columns={"title": "text"}, unlabeled=str(unlabeled)
        ),
        model=ModelConfig(encoders={"text": encoders or {"ngram": {"character_widths": ()}}}),
        train=TrainConfig(head_epochs=4, batch_size=8, study=False),
    )
    run = Run(config, folder, quiet=True)
    run.prepare()
    return run


def test_rows_without_label_are_learned_from_and_held_out_ones_are_not(tables, tmp_path):
    run = prepare(tmp_path / "w", *tables)
    assert len(run.catalogue.ids) == 22
    # Two rows of the table itself and 30 of the other one, less the copy of a held-out row.
    assert run.catalogue.rows_left_out == {"no label, nearly the same as a labelled row": 1}
    assert len(run.rows.unlabeled) == 31
    spread = run.train().spread
    assert len(spread) == 31
    assert set(spread.rows) <= set(run.rows.unlabeled)
    assert not set(spread.rows) & set(run.sample("train", "eval", "test").rows)
    np.testing.assert_allclose(spread.answers.sum(axis=1), 1, rtol=1e-5)
    np.testing.assert_array_equal(spread.answers.argmax(axis=1), spread.class_ids)
    titles = run.catalogue.unlabeled.frame["title"].iloc[spread.rows - run.rows.unlabeled[0]]
    right = [
        title.split()[0] in WORDS["ab"[c]]
        for title, c in zip(titles, spread.class_ids, strict=True)
    ]
    assert np.mean(right) > 0.9
    # Preprocessing learns from them too.
    alone = run.fit(run.sample("train"), unlabeled=run.rows.unlabeled[:0])
    known, known_alone = (
        len(network.branches[0].encoder.get_state()["terms"]["word"])
        for network in (run.measured, alone)
    )
    assert known > known_alone


def test_the_table_itself_gives_its_own_rows_without_label(tables, tmp_path):
    run = prepare(tmp_path, tables[0], tables[0])
    assert len(run.rows.unlabeled) == 2
    # Without being asked for, they are left out.
    assert prepare(tmp_path, tables[0]).catalogue.rows_left_out == {"no label": 2}


@pytest.mark.slow
def test_what_was_trained_is_found_again(tables, tmp_path):
    run = prepare(tmp_path, *tables)
    first = run.fit(run.sample("train"))
    before = sorted((tmp_path / "cache" / "checkpoints").iterdir())
    again = run.fit(run.sample("train"))
    assert sorted((tmp_path / "cache" / "checkpoints").iterdir()) == before
    assert again.spread.digest() == first.spread.digest()
    for old, new in zip(first.voter.weights, again.voter.weights, strict=True):
        np.testing.assert_array_equal(old, new)


def test_where_no_embedding_says_anything_the_network_is_believed(tables, tmp_path):
    run = prepare(tmp_path, *tables, encoders={"tiny_text": {}})
    network = run.fit(run.sample("train"), run.sample("eval"), unlabeled=run.rows.unlabeled[:0])
    scores = network.pool(run.vote(network, run.rows.unlabeled)[0])
    found = run.train().spread
    assert found.class_ids.tolist() == scores.argmax(axis=1).tolist()
    np.testing.assert_allclose(found.answers, scores, atol=1e-5)

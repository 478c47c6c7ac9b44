import numpy as np
import pytest
from scipy.stats import entropy
from sklearn.cluster import kmeans_plusplus

from trainer.registry import SELECTIONS
from trainer.selection import herding, typical
from trainer.selection.candidates import Candidates, squared_distances


def make(num_rows=40, num_labelled=5, seed=0):
    rng = np.random.default_rng(seed)
    embeddings = rng.normal(size=(num_rows + num_labelled, 6))
    embeddings /= np.linalg.norm(embeddings, axis=1, keepdims=True)
    scores = rng.dirichlet(np.ones(4), num_rows)
    return Candidates(scores, embeddings[:num_rows], embeddings[num_rows:])


def select(name, candidates, budget, seed=0):
    return SELECTIONS.get(name)(candidates, budget, np.random.default_rng(seed))


@pytest.mark.parametrize("name", SELECTIONS.names())
@pytest.mark.parametrize("num_labelled", [0, 5])
@pytest.mark.parametrize("budget", [1, 7, 40])
def test_chooses_as_many_as_asked_for_none_twice(name, num_labelled, budget):
    candidates = make(num_labelled=num_labelled)
    chosen = select(name, candidates, budget)
    assert chosen.shape == (budget,)
    assert len(set(chosen.tolist())) == budget
    assert set(chosen.tolist()) <= set(range(40))
    np.testing.assert_array_equal(select(name, candidates, budget), chosen)


@pytest.mark.parametrize("name", SELECTIONS.names())
def test_equal_products_are_no_error(name):
    candidates = Candidates(np.full((6, 2), 0.5), np.ones((6, 3)), np.zeros((0, 3)))
    assert sorted(select(name, candidates, 6).tolist()) == list(range(6))


def test_distances_are_those_of_numpy():
    candidates = make()
    rows, others = candidates.embeddings, candidates.labelled
    expected = np.square(rows[:, None] - others[None]).sum(axis=2)
    np.testing.assert_allclose(squared_distances(rows, others), expected, atol=1e-12)


def test_margin_and_entropy_take_the_least_sure():
    candidates = make()
    ordered = np.sort(candidates.scores, axis=1)
    margins = ordered[:, -1] - ordered[:, -2]
    np.testing.assert_array_equal(select("margin", candidates, 9), np.argsort(margins)[:9])
    by_entropy = np.argsort(-entropy(candidates.scores, axis=1))
    np.testing.assert_array_equal(select("entropy", candidates, 9), by_entropy[:9])


def test_core_set_takes_the_farthest_from_all_that_is_covered():
    candidates = make()
    chosen = select("core_set", candidates, 6)
    covered = list(candidates.labelled)
    for row in chosen:
        distances = [
            min(np.linalg.norm(embedding - other) for other in covered)
            for embedding in candidates.embeddings
        ]
        assert distances[row] == pytest.approx(max(distances))
        covered.append(candidates.embeddings[row])


def test_badge_draws_among_the_gradients_of_the_last_layer():
    """Its distances are those of the gradients written out."""
    candidates = make(num_rows=12)
    one_hot = np.eye(4)[candidates.scores.argmax(axis=1)]
    gradients = np.einsum("nc,nd->ncd", candidates.scores - one_hot, candidates.embeddings)
    gradients = gradients.reshape(12, -1)
    assert select("badge", candidates, 1)[0] == np.linalg.norm(gradients, axis=1).argmax()
    draws = [tuple(select("badge", candidates, 2, seed)) for seed in range(3000)]
    counts = np.bincount([second for _, second in draws], minlength=12)
    distances = np.square(gradients - gradients[draws[0][0]]).sum(axis=1)
    expected = distances / distances.sum()
    deviation = np.sqrt(expected * (1 - expected) / 3000)
    assert (np.abs(counts / 3000 - expected) <= 4.5 * deviation).all()


def test_badge_spreads_like_kmeans_plusplus():
    candidates = make(num_rows=60)
    one_hot = np.eye(4)[candidates.scores.argmax(axis=1)]
    gradients = np.einsum("nc,nd->ncd", candidates.scores - one_hot, candidates.embeddings)
    gradients = gradients.reshape(60, -1)

    def cost(chosen):
        return squared_distances(gradients, gradients[chosen]).min(axis=1).sum()

    ours = [cost(select("badge", candidates, 8, seed)) for seed in range(20)]
    theirs = [
        cost(kmeans_plusplus(gradients, 8, random_state=seed, n_local_trials=1)[1])
        for seed in range(20)
    ]
    assert np.mean(ours) == pytest.approx(np.mean(theirs), rel=0.1)


def test_typical_covers_each_heap_once_and_takes_its_middle():
    rng = np.random.default_rng(0)
    heaps = 10 * np.eye(5)
    embeddings = np.concatenate([heap + 0.1 * rng.normal(size=(9, 5)) for heap in heaps])
    embeddings[::9] = heaps  # the first of each heap is its middle
    candidates = Candidates(np.full((45, 2), 0.5), embeddings, heaps[:2])
    chosen = select("typical", candidates, 3)
    assert sorted(chosen.tolist()) == [18, 27, 36]


def test_typical_goes_round_where_there_are_more_labels_than_clusters(monkeypatch):
    monkeypatch.setattr(typical, "_MAX_CLUSTERS", 2)
    embeddings = np.array([[0.0, 0], [0, 1], [0, 2], [9, 0], [9, 1], [9, 2], [9, 3]])
    candidates = Candidates(np.full((7, 2), 0.5), embeddings, embeddings[:1])
    chosen = select("typical", candidates, 5)
    # The heap with the fewest labels is next, of equals the larger one.
    assert embeddings[chosen, 0].tolist() == [9, 9, 0, 9, 0]
    assert len(set(chosen.tolist())) == 5


def test_clue_takes_the_middle_of_the_unsure():
    """Of two heaps that are sure and three that are not, one each of those that are not."""
    heaps = 10 * np.eye(5)
    embeddings = np.concatenate([heap + 0.1 * np.eye(5)[[0, 1, 2, 3]] for heap in heaps])
    embeddings = np.concatenate([embeddings, heaps + 0.025])  # the last five are the middles
    unsure = np.append(np.repeat([0, 0, 1, 1, 1], 4), [0, 0, 1, 1, 1]).astype(bool)
    scores = np.where(unsure[:, None], [0.5, 0.5], [1.0, 0.0])
    chosen = select("clue", Candidates(scores, embeddings, np.zeros((0, 5))), 3)
    assert sorted(chosen.tolist()) == [22, 23, 24]


def test_herding_takes_what_covers_most_of_the_unsure():
    """Each choice is that of the plain greedy rule, all gains computed anew."""
    candidates = make(num_rows=60)
    chosen = select("herding", candidates, 20)
    rows, labelled = candidates.embeddings, candidates.labelled
    ordered = np.sort(candidates.scores, axis=1)
    unsure = 1 - (ordered[:, -1] - ordered[:, -2])
    taken = list(labelled)
    for row in chosen:

        def covered(taken):
            likeness = [np.square(np.clip(rows @ other, 0, None)) for other in taken]
            return unsure @ np.max(likeness, axis=0)

        reached = [covered([*taken, other]) for other in rows]
        assert reached[row] == pytest.approx(max(reached))
        taken.append(rows[row])


def test_herding_of_many_candidates_draws_the_unsure_ones(monkeypatch):
    monkeypatch.setattr(herding, "_MANY_ROWS", 30)
    candidates = make(num_rows=400)
    sure = np.arange(400) % 2 == 0
    scores = np.where(sure[:, None], [1.0, 0, 0, 0], [0.25, 0.25, 0.25, 0.25])
    candidates = Candidates(scores, candidates.embeddings, candidates.labelled)
    chosen = select("herding", candidates, 10)
    assert len(set(chosen.tolist())) == 10
    assert not sure[chosen].any()

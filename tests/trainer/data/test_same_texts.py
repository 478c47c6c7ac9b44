import numpy as np
import pytest
from sklearn.feature_extraction.text import TfidfVectorizer

from trainer.data.same_texts import same_text_pairs

WORDS = [f"w{i}" for i in range(400)]


def _texts(rng, rows, length=30):
    return [" ".join(rng.choice(WORDS, length)) for _ in range(rows)]


def _pairs(*columns, max_shared=30):
    return {tuple(sorted(pair)) for pair in same_text_pairs(columns, max_shared).tolist()}


def _change(rng, text, words):
    parts = text.split()
    for i in rng.choice(len(parts), words, replace=False):
        parts[i] = rng.choice(WORDS)
    return " ".join(parts)


@pytest.mark.parametrize("seed", range(3))
def test_equal_to_comparing_all_pairs(seed):
    rng = np.random.default_rng(seed)
    texts = _texts(rng, 150)
    texts += [_change(rng, text, i % 8) for i, text in enumerate(texts[:60])]
    vectors = TfidfVectorizer(token_pattern=r"\w+", sublinear_tf=True).fit_transform(texts)
    cosines = np.triu((vectors @ vectors.T).toarray(), 1)
    expected = set(zip(*np.nonzero(cosines >= 0.9), strict=True))
    assert len(expected) > 15
    assert _pairs(texts) == expected


def test_case_blanks_and_punctuation_do_not_matter():
    texts = ["Blue ceramic mug, 330 ml", "blue  CERAMIC mug\t330 ml", "Red steel pan for 4 eggs"]
    assert _pairs(texts) == {(0, 1)}


def test_short_texts_are_the_same_by_chance():
    assert _pairs(["Men's T-Shirt"] * 2 + [""] * 3) == set()
    # Characters count where words are not separated.
    assert _pairs(["智能无线蓝牙耳机", "智能无线蓝牙耳机", "电动牙刷充电底座"]) == {(0, 1)}


def test_boilerplate_under_different_titles_is_no_duplicate():
    rng = np.random.default_rng(0)
    template = " ".join(_texts(rng, 1, 200))
    titles = [f"Mug with {' '.join(rng.choice(WORDS, 3))}" for _ in range(20)] + [
        "Mug with roses"
    ] * 2
    descriptions = [template] * 22
    assert len(_pairs(descriptions)) == 21
    assert _pairs(titles, descriptions) == {(20, 21)}


def test_a_column_that_one_of_two_lacks_does_not_contradict():
    text = "soft cotton blanket for babies in blue with white stars and a warm lining of wool"
    other = ["steel pan", "leather belt", "wooden chair"]
    assert _pairs([text, text, *other], ["Acme", "", *other]) == {(0, 1)}


def test_what_very_many_rows_say_is_boilerplate():
    text = "There is no description of this product yet"
    assert _pairs([text] * 31) == set()
    assert len(_pairs([text] * 30)) == 29


def test_nothing_to_compare():
    assert same_text_pairs([[]], 10).shape == (0, 2)
    assert same_text_pairs([["", ""]], 10).shape == (0, 2)
    assert same_text_pairs([["a b c d e"]], 10).shape == (0, 2)

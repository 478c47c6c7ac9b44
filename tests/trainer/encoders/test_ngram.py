import json

import numpy as np
import pytest
import tensorflow as tf
from sklearn.feature_extraction.text import TfidfVectorizer

from trainer.encoders import ngram
from trainer.encoders.ngram import NGramEncoder
from trainer.layers.ngram_ops import split_words

TEXTS = [
    "Red wireless headphones, over ear",
    "Blue wireless earphones in ear",
    "Red cotton shirt for men",
    "Blue cotton shirt for women, red buttons",
    "蓝牙耳机 红色",
    "蓝牙音箱 red",
    "",
    "Kitchen knife knife KNIFE",
]
UNSEEN = ["red wireless shirt 耳机", "zzz qqq", "", "knife 😀"]


def encode(texts):
    return np.array([text.encode() for text in texts], object)


def make(texts=TEXTS, **options):
    encoder = NGramEncoder("t", **{"dim": 64, **options})
    encoder.adapt(encode(texts))
    return encoder


def embed(encoder, texts, model=None):
    tensors = encoder.preprocess(tf.constant(encode(texts).tolist()))
    return (model or encoder.build())(tensors).numpy()


def reference(texts, others, min_rows=2):
    """Word and character TF-IDF of scikit-learn side by side, `(rows, terms)` for both lists."""

    def words(text):
        return [word.decode() for word in split_words(tf.constant([text]), 5000)[0].numpy()]

    vectorizers = [
        TfidfVectorizer(tokenizer=words, token_pattern=None, ngram_range=(1, 2), lowercase=False),
        TfidfVectorizer(
            analyzer="char_wb", preprocessor=lambda t: " ".join(words(t)), ngram_range=(2, 5)
        ),
    ]
    parts = []
    for vectorizer in vectorizers:
        vectorizer.set_params(min_df=min_rows, sublinear_tf=True)
        fitted = vectorizer.fit(texts)
        parts.append([fitted.transform(rows).toarray() for rows in (texts, others)])
    return [np.hstack(pair) * np.sqrt(0.5) for pair in zip(*parts, strict=True)]


def test_dot_products_are_those_of_tfidf():
    encoder = make()
    model = encoder.build()
    train, unseen = reference(TEXTS, UNSEEN)
    train_found, unseen_found = embed(encoder, TEXTS, model), embed(encoder, UNSEEN, model)
    np.testing.assert_allclose(train_found @ train_found.T, train @ train.T, atol=1e-5)
    # An unseen row is projected on the span of the training rows: its products with them stay.
    np.testing.assert_allclose(unseen_found @ train_found.T, unseen @ train.T, atol=1e-5)


def test_fewer_dimensions_keep_the_largest_directions():
    train, _ = reference(TEXTS, UNSEEN)
    _, values, directions = np.linalg.svd(train, full_matrices=False)
    expected = (train @ directions[:3].T) @ (train @ directions[:3].T).T
    found = embed(make(dim=3), TEXTS)
    assert found.shape == (len(TEXTS), 3)
    np.testing.assert_allclose(found @ found.T, expected, atol=1e-5)
    np.testing.assert_allclose(np.linalg.norm(found, axis=0), values[:3], atol=1e-5)


def test_many_rows_take_another_way_to_the_same_embedding(monkeypatch):
    rng = np.random.default_rng(0)
    words = ["red", "blue", "wireless", "cotton", "shirt", "ear", "knife", "lamp", "耳机", "men"]
    texts = [" ".join(rng.choice(words, 6)) for _ in range(60)]
    exact = embed(make(texts, dim=5), texts)
    monkeypatch.setattr(ngram, "_MAX_GRAM_ROWS", 10)
    other = embed(make(texts, dim=5), texts)
    np.testing.assert_allclose(other @ other.T, exact @ exact.T, atol=0.02)


def test_rows_have_about_length_one():
    norms = np.linalg.norm(embed(make(), TEXTS), axis=1)
    np.testing.assert_allclose(norms[:6], 1, atol=1e-5)
    assert norms[6] == 0


def test_state_restores_preprocessing():
    encoder = make()
    restored = NGramEncoder("t", dim=64)
    restored.set_state(json.loads(json.dumps(encoder.get_state())))
    rows = tf.constant(encode(UNSEEN).tolist())
    for name, tensor in encoder.preprocess(rows).items():
        np.testing.assert_array_equal(restored.preprocess(rows)[name], tensor)


def test_restored_encoder_hands_its_tables_to_an_export():
    restored = NGramEncoder("t")
    restored.set_state(make().get_state())
    assert len(restored.get_resources()) == 2


@pytest.mark.parametrize("texts", [["", ""], ["a b", "c d"], ["😀", "!!!"]])
def test_nothing_in_common_is_no_error(texts):
    """No term occurs in two rows: an empty vocabulary."""
    encoder = make(texts)
    found = embed(encoder, [*texts, "red"])
    np.testing.assert_array_equal(found, np.zeros_like(found))


def test_emoji_and_broken_bytes_are_no_error():
    encoder = make()
    values = tf.constant([b"red \xff\xfe", "red 👩‍👩‍👧".encode(), b"red"])
    found = encoder.build()(encoder.preprocess(values)).numpy()
    np.testing.assert_allclose(found[1], found[2], atol=1e-6)
    assert np.isfinite(found).all()


def test_keeps_the_terms_of_most_rows():
    terms = make(max_terms=3).get_state()["terms"]
    assert len(terms["word"]) == len(terms["character"]) == 3
    assert terms["word"][0] == "red"


def test_learns_from_a_sample_of_many_rows():
    encoder = make([*TEXTS, "lamp", "lamp lamp"] * 3, max_rows=8)
    assert embed(encoder, TEXTS).shape[1] <= 8


def test_reads_no_further_than_asked():
    encoder = make(max_characters=3)
    found = embed(encoder, ["red", "red shirt"])
    np.testing.assert_array_equal(found[0], found[1])


@pytest.mark.parametrize(("tuning", "weights"), [("frozen", 0), ("full", 1)])
def test_trains_only_where_asked(tuning, weights):
    assert len(make(tuning=tuning).build().trainable_weights) == weights

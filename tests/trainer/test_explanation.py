"""Explanations add up: to the logit that they split, on every fusion."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from trainer.artefact import ModelCard
from trainer.checked_preprocessing import preprocess_checked
from trainer.config import ModelConfig
from trainer.explanation import build_explain, embed, score_embeddings
from trainer.inputs import InputSpec
from trainer.model import build_scorer, build_voter, build_votes
from trainer.preprocessing import build_branches
from trainer.registry import FUSIONS

INPUTS = (
    InputSpec("text", "text", ("title",)),
    InputSpec("price", "number", ("price",)),
    InputSpec("brand", "category", ("brand",)),
)
ENCODERS = {
    "text": {"ngram": {"min_rows": 1}},
    "number": {"piecewise": {}},
    "category": {"one_hot": {}},
}
CLASSES = ("kettle", "lamp", "watch")
RAW = {
    "text": [b"steel kettle", b"desk lamp", b"smart watch, steel", b"", b"red kettle"],
    "price": [25.0, 12.5, 199.0, np.nan, np.nan],
    "brand": [b"acme", b"bolt", b"acme", b"bolt", b""],
}
CARD = ModelCard(INPUTS, CLASSES, ("category",), ("category",), "", "test", {"train": 5})


@pytest.fixture(scope="module", params=FUSIONS.names())
def parts(request):
    """Returns branches, scorer, products and their explanation, of a network drawn at random."""
    keras.utils.set_random_seed(0)
    branches = build_branches(INPUTS, ENCODERS)
    for branch in branches:
        kind = np.float32 if branch.input.kind == "number" else object
        branch.encoder.adapt(np.array(RAW[branch.input.name], kind))
    encoders = {branch.name: branch.encoder.build() for branch in branches}
    widths = {name: encoder.output.shape[-1] for name, encoder in encoders.items()}
    votes = build_votes(branches, widths, len(CLASSES), ModelConfig(fusion=request.param))
    rng = np.random.default_rng(0)
    for weight in votes.weights:
        weight.assign(rng.normal(scale=0.2, size=weight.shape))
    num_votes = votes.output.shape[1]
    scorer = build_scorer(build_voter(encoders, votes), np.full(num_votes, 0.5, np.float32))
    raw = {name: tf.constant(values) for name, values in RAW.items()}
    explain = build_explain(branches, scorer, INPUTS, len(CLASSES))
    class_ids = tf.constant([0, 1, 2, 1, 0])

    @tf.function(autograph=False)
    def run():
        products = preprocess_checked(branches, raw, CARD)
        return explain(products, embed(branches, scorer, products.tensors), class_ids)

    found = {name: of.numpy() for name, of in run().items()}
    products = preprocess_checked(branches, raw, CARD)
    return request.param, branches, scorer, products, class_ids.numpy(), found


def centred_logits(scorer, products, class_ids, share):
    """Returns the logit of the class above the mean, of embeddings times a share."""
    given = {}
    for name in scorer.get_layer("votes").input:
        if name in products.tensors:
            given[name] = products.tensors[name]
        else:
            encoder = scorer.get_layer(name)
            own = {key: products.tensors[key] for key in encoder.input}
            given[name] = share * encoder(own)
    logits = scorer.get_layer("pool")(scorer.get_layer("votes")(given, training=False)).numpy()
    return logits[np.arange(len(logits)), class_ids] - logits.mean(axis=1)


def test_shares_make_up_the_difference_of_the_logit(parts):
    name, _, scorer, products, class_ids, found = parts
    whole = centred_logits(scorer, products, class_ids, 1.0)
    none = centred_logits(scorer, products, class_ids, 0.0)
    added = (found["shares"] * found["evidence"][:, None]).sum(axis=1)
    assert np.abs(whole - none).max() > 0.1
    # Where fusion and heads are linear, exact; else as far as 16 steps can.
    tolerance = 1e-4 if name == "concat" else 0.05 * np.abs(whole - none).max()
    np.testing.assert_allclose(added, whole - none, atol=tolerance)


def test_shares_are_signed_parts_and_absent_inputs_have_none(parts):
    found = parts[-1]
    np.testing.assert_allclose(np.abs(found["shares"]).sum(axis=1), 1, atol=1e-5)
    assert found["inputs"].tolist() == [[b"text", b"price", b"brand"]] * 5
    assert found["shares"][3, 0] == found["shares"][3, 1] == 0
    assert found["shares"][4, 1] == found["shares"][4, 2] == 0
    assert found["shares"][4, 0] != 0


def test_words_make_up_the_share_of_the_text(parts):
    """N-grams are linear: each word has what its terms add, nothing is left over."""
    found = parts[-1]
    words = [[word.decode() for word in row if word] for row in found["text_words"]]
    assert words == [
        ["steel", "kettle"],
        ["desk", "lamp"],
        ["smart", "watch", "steel"],
        [],
        ["red", "kettle"],
    ]
    sums = found["text_word_scores"].sum(axis=1)
    np.testing.assert_allclose(sums, found["shares"][:, 0], atol=1e-5)
    assert not found["text_word_scores"][0, 2:].any()


@pytest.mark.parametrize("parts", ["concat"], indirect=True)
def test_a_word_has_what_its_terms_add_to_linear_votes(parts):
    """The closed form: term weight times vector times head, half of a bigram for each word."""
    _, branches, scorer, products, class_ids, found = parts
    row, encoder = 0, branches[0].encoder
    own = {key: products.tensors[key][row : row + 1] for key in encoder.input_specs()}
    ids, weights = (of.numpy()[0] for of in own.values())
    vectors = scorer.get_layer("text_ngram").get_layer("text_ngram_vectors").vectors.numpy()

    def logit(embedding):
        given = {}
        for key in scorer.get_layer("votes").input:
            if key in products.tensors:
                given[key] = products.tensors[key][row : row + 1]
            elif key == "text_ngram":
                given[key] = tf.constant(embedding[None], tf.float32)
            else:
                layer = scorer.get_layer(key)
                given[key] = layer({k: products.tensors[k][row : row + 1] for k in layer.input})
        logits = scorer.get_layer("pool")(scorer.get_layer("votes")(given)).numpy()[0]
        return logits[class_ids[row]] - logits.mean()

    nothing = logit(np.zeros(vectors.shape[1]))
    terms = [*encoder.get_state()["terms"]["word"], *encoder.get_state()["terms"]["character"]]
    expected = {"steel": 0.0, "kettle": 0.0}
    for index, weight in zip(ids, weights, strict=True):
        if weight == 0:
            continue
        added = logit(weight * vectors[index]) - nothing
        if terms[index] == "steel kettle":
            expected = {word: score + added / 2 for word, score in expected.items()}
            continue
        term = terms[index]
        # Runs of characters count by how often a word has them.
        times = {word: f" {word} ".count(term) for word in expected}
        if term in expected:
            times = {word: int(word == term) for word in expected}
        total = sum(times.values())
        for word, count in times.items():
            expected[word] += added * count / total
    scores = found["text_word_scores"][row] * found["evidence"][row]
    np.testing.assert_allclose(scores[:2], list(expected.values()), atol=1e-4)


def test_scores_of_embeddings_are_those_of_the_scorer(parts):
    _, branches, scorer, products, _, _ = parts
    embeddings = embed(branches, scorer, products.tensors)
    found = score_embeddings(scorer, embeddings, products.tensors)
    np.testing.assert_allclose(found, scorer(products.tensors), atol=1e-6)

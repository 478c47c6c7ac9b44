import keras
import numpy as np
import pytest

from trainer.config import ModelConfig
from trainer.inputs import InputSpec
from trainer.model import build_lessons, build_scorer, build_voter, build_votes, find_reaches
from trainer.preprocessing import build_branches, present_name

INPUTS = (
    InputSpec("text", "text", ("title",)),
    InputSpec("price", "number", ("price",)),
)
ENCODERS = {"text": {"tiny_text": {"dim": 3}, "ngram": {}}, "number": {"piecewise": {}}}
WIDTHS = {"text_tiny_text": 3, "text_ngram": 4, "price_piecewise": 2}
ROWS, CLASSES = 5, 3


@pytest.fixture(scope="module")
def branches():
    return build_branches(INPUTS, ENCODERS)


@pytest.fixture
def votes(branches):
    keras.utils.set_random_seed(0)
    model = build_votes(branches, WIDTHS, CLASSES, ModelConfig(modality_dropout=0.5))
    rng = np.random.default_rng(0)
    model.set_weights([rng.normal(size=weight.shape) for weight in model.get_weights()])
    return model


def make_inputs():
    rng = np.random.default_rng(1)
    values = {
        name: rng.normal(size=(ROWS, width)).astype(np.float32) for name, width in WIDTHS.items()
    }
    values[present_name("text")] = np.array([1, 1, 0, 0, 1], bool)
    values[present_name("price")] = np.array([1, 0, 1, 0, 1], bool)
    return values


def test_votes_equal_their_definition(votes, branches):
    """Concatenation of scaled embeddings, and every branch alone, each into a linear layer.

    Where all of a kind is absent, a layer of its own reads the concatenation of the others.
    """
    values = make_inputs()
    there = {name: values[present_name(name)][:, None] for name in ("text", "price")}
    shown = {
        branch.name: 10 * values[branch.name] * there[branch.input.name] for branch in branches
    }

    kernels, biases = votes.get_layer("fused_votes").get_weights()

    def answer(index, names):
        parts = [shown[name] * (name in names) for name in sorted(shown)]
        return np.concatenate(parts, axis=1) @ kernels[index] + biases[index]

    first = answer(0, shown)
    no_price = answer(1, ["text_tiny_text", "text_ngram"])
    no_text = answer(2, ["price_piecewise"])
    assert (~there["text"] & ~there["price"]).any(), "of a row that lacks both the fusion votes"
    first = np.where(~there["text"] & there["price"], no_text, first)
    first = np.where(there["text"] & ~there["price"], no_price, first)
    expected = [first]
    for branch in branches:
        kernel, bias = votes.get_layer(f"{branch.name}_vote").get_weights()
        expected.append((shown[branch.name] @ kernel + bias) * there[branch.input.name])
    np.testing.assert_allclose(votes(values), np.stack(expected, axis=1), atol=1e-4)


def test_stand_ins_learn_from_all_rows_what_they_see(votes):
    """Their lessons: one vote more a kind, which changes with all inputs but its own."""
    lessons, values = build_lessons(votes), make_inputs()
    before = lessons(values).numpy()
    assert before.shape == (ROWS, 1 + 2 + len(WIDTHS), CLASSES)
    for changed, names in (("price", ["price_piecewise"]), ("text", ["text_ngram"])):
        other = {name: of + (name in names) for name, of in values.items() if of.dtype != bool}
        after = lessons({**values, **other}).numpy()
        moved = np.abs(after - before).max(axis=2) > 1e-3
        there = values[present_name(changed)]
        # Votes: fused, without number, without text.
        expected = [there, there & (changed == "text"), there & (changed == "price")]
        np.testing.assert_array_equal(moved[:, :3], np.stack(expected, axis=1))


def test_one_kind_of_input_needs_no_stand_in(branches):
    model = build_votes(branches[:2], WIDTHS, CLASSES, ModelConfig())
    assert build_lessons(model) is model


def test_what_has_a_reach_is_fused_only_where_there_is_nothing_else(branches):
    config = ModelConfig(reach={"piecewise": 1.5})
    model = build_votes(branches, WIDTHS, CLASSES, config)
    rng = np.random.default_rng(2)
    model.set_weights([rng.normal(size=weight.shape) for weight in model.get_weights()])
    assert find_reaches(branches, config) == [None, None, None, 1.5]
    values = make_inputs()
    other = {**values, "price_piecewise": values["price_piecewise"] + 1}
    moved = np.abs(model(other) - model(values)).max(axis=2) > 1e-3
    text, price = (values[present_name(name)] for name in ("text", "price"))
    np.testing.assert_array_equal(moved[:, 0], price & ~text)
    np.testing.assert_array_equal(moved[:, -1], price)
    assert not moved[:, 1:-1].any()


def test_one_of_two_that_read_the_same_may_have_a_reach(branches):
    config = ModelConfig(reach={"tiny_text": 1.0, "piecewise": 1.5})
    model = build_votes(branches, WIDTHS, CLASSES, config)
    rng = np.random.default_rng(2)
    model.set_weights([rng.normal(size=weight.shape) for weight in model.get_weights()])
    values = make_inputs()
    moved = {}
    for name in WIDTHS:
        found = model({**values, name: values[name] + 1}) - model(values)
        moved[name] = np.abs(found).max(axis=2)[:, 0] > 1e-3
    text, price = (values[present_name(name)] for name in ("text", "price"))
    assert not moved["text_tiny_text"].any()
    np.testing.assert_array_equal(moved["text_ngram"], text)
    np.testing.assert_array_equal(moved["price_piecewise"], price & ~text)


def test_where_nothing_else_can_lead_there_is_no_reach(branches):
    """A price alone does not tell what a product is."""
    reach = {"tiny_text": 1, "ngram": 2, "resnet50": 1}
    for given in (branches, branches[:2]):
        assert find_reaches(given, ModelConfig(reach=reach)) == [None] * (1 + len(given))
    del reach["ngram"]
    assert find_reaches(branches, ModelConfig(reach=reach)) == [None, 1, None, None]


def test_wrong_reaches_are_named(branches):
    with pytest.raises(ValueError, match=r"'resnet'.*Did you mean 'resnet50'\?"):
        find_reaches(branches, ModelConfig(reach={"resnet": 1}))
    with pytest.raises(ValueError, match=r"model.reach.bert must be a number above 0"):
        ModelConfig(reach={"bert": 0})


def test_values_of_absent_inputs_never_matter(votes):
    values = make_inputs()
    expected = votes(values)
    for name in WIDTHS:
        there = values[present_name(name.split("_")[0])]
        values[name] = np.where(there[:, None], values[name], np.nan)
    np.testing.assert_array_equal(votes(values), expected)


def test_gradients_are_finite_where_embeddings_are_absent(votes):
    import tensorflow as tf

    values = make_inputs()
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(tf.square(votes(values, training=True)))
    for gradient in tape.gradient(loss, [w.value for w in votes.trainable_weights]):
        assert np.isfinite(gradient).all()


def test_scores_are_the_softmax_of_weighted_votes(votes):
    voter = build_voter({}, votes)
    weights = np.array([0.5, 1.0, 0.0, 2.0], np.float32)
    values = make_inputs()
    logits = np.einsum("v,nvc->nc", weights, votes(values)).astype(np.float64)
    exponentials = np.exp(logits - logits.max(axis=1, keepdims=True))
    expected = exponentials / exponentials.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(build_scorer(voter, weights)(values), expected, atol=1e-5)


def test_unknown_fusion_options_are_named(branches):
    config = ModelConfig(fusion="gated", fusion_options={"projection_dims": 3})
    with pytest.raises(ValueError, match=r"'projection_dims'.*Did you mean 'projection_dim'\?"):
        build_votes(branches, WIDTHS, CLASSES, config)

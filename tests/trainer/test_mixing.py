"""MixUp and CutMix against what the papers say of pairs, shares and losses."""

import numpy as np
import pytest
import tensorflow as tf
from scipy import stats
from scipy.special import log_softmax

from trainer.config import Config
from trainer.inputs import InputSpec
from trainer.mixing import check_mixing, cut_mix, mix_up
from trainer.overrides import apply_overrides
from trainer.preprocessing import build_branches
from trainer.registry import LOSSES

CLASSES = 5
INPUTS = (InputSpec("image_bytes", "image", ("picture",)), InputSpec("text", "text", ("title",)))


def embeddings(rows=64, batches=8, absent=0):
    """Embeddings that tell their row: 1 at its position."""
    present = np.arange(rows) >= absent
    tensors = {"a": np.eye(rows, dtype=np.float32), "a_present": present}
    tensors["b"] = 2 * tensors["a"]
    class_ids = np.arange(rows, dtype=np.int32) % CLASSES
    weights = np.linspace(0.5, 2, rows).astype(np.float32)
    data = tf.data.Dataset.from_tensors((tensors, class_ids, weights)).repeat(batches)
    return data, class_ids, weights


def mixed(alpha=1.0, batches=8, first_step=0, seed=3, **options):
    data, class_ids, weights = embeddings(batches=batches, **options)
    data = mix_up(data, alpha, CLASSES, seed=seed, first_step=first_step)
    return list(data.as_numpy_iterator()), class_ids, weights


def test_mixup_mixes_two_rows_alike_in_all_embeddings():
    for tensors, _, _ in mixed()[0]:
        np.testing.assert_allclose(tensors["a"].sum(axis=1), 1, rtol=1e-6)
        assert ((tensors["a"] > 0).sum(axis=1) <= 2).all()
        np.testing.assert_allclose(tensors["b"], 2 * tensors["a"], rtol=1e-6)
        partners = np.where(np.eye(64, dtype=bool), 0, tensors["a"]) > 0
        assert (partners.sum(axis=0) <= 1).all(), "partners are a permutation"


@pytest.mark.parametrize("alpha", [0.2, 1.0])
def test_mixup_shares_are_beta(alpha):
    batches, _, _ = mixed(alpha=alpha, batches=40)
    shares = np.concatenate([np.diag(tensors["a"]) for tensors, _, _ in batches])
    # A row that is its own partner tells nothing of its share.
    shares = shares[shares < 1]
    assert len(shares) > 2000
    assert stats.kstest(shares, "beta", args=(alpha, alpha)).pvalue > 0.01


@pytest.mark.parametrize("name", LOSSES.names())
def test_mixup_loss_is_the_mixed_loss_of_both_rows(name):
    """Equation 2 of the paper, with the weight of each row and any loss."""
    logits = np.random.default_rng(0).normal(size=(64, CLASSES)).astype(np.float32)
    loss = LOSSES.get(name)(reduction=None)
    by_class = [loss(np.full(64, class_id), logits) for class_id in range(CLASSES)]
    costs = np.stack(by_class, axis=1)
    batches, class_ids, weights = mixed()
    for tensors, targets, totals in batches:
        np.testing.assert_allclose(targets.sum(axis=1), 1, rtol=1e-5)
        of_targets = loss(targets, logits, sample_weight=totals)
        # Row r of `a` holds the shares of all rows in the mixed row r.
        of_pairs = [share * weights @ costs[r, class_ids] for r, share in enumerate(tensors["a"])]
        np.testing.assert_allclose(of_targets, of_pairs, rtol=1e-4)


def test_soft_targets_are_mixed_like_class_ids():
    data, _, _ = embeddings(batches=2)
    soft = data.map(lambda tensors, ids, weights: (tensors, tf.one_hot(ids, CLASSES), weights))
    for of, expected in zip(mix_up(soft, 1.0, CLASSES, seed=3), mixed(batches=2)[0], strict=True):
        np.testing.assert_allclose(of[1], expected[1], rtol=1e-6)


def test_objectives_have_no_targets_for_mixed_rows():
    settings = ["augment.mixup=0.2", "train.objectives.contrastive.weight=0.1"]
    with pytest.raises(ValueError, match=r"no targets for train\.objectives"):
        check_mixing(build_branches(INPUTS, FROZEN), apply_overrides(Config(), settings))


def test_mixup_loss_is_cross_entropy_of_the_formula():
    logits = np.random.default_rng(0).normal(size=(64, CLASSES))
    logs = log_softmax(logits, axis=1)
    batches, class_ids, weights = mixed()
    for tensors, targets, totals in batches:
        of_targets = -totals * (targets * logs).sum(axis=1)
        of_pairs = [-(share * weights) @ logs[r, class_ids] for r, share in enumerate(tensors["a"])]
        np.testing.assert_allclose(of_targets, of_pairs, rtol=1e-4)


def test_mixup_pairs_only_rows_that_have_the_same_inputs():
    batches, class_ids, weights = mixed(absent=20)
    for tensors, targets, totals in batches:
        assert (tensors["a"][:20, 20:] == 0).all()
        assert (tensors["a"][20:, :20] == 0).all()
        alone = np.diag(tensors["a"]) == 1
        np.testing.assert_array_equal(targets[alone], np.eye(CLASSES)[class_ids[alone]])
        np.testing.assert_allclose(totals[alone], weights[alone])
        assert 0 < alone.sum() < 64
        np.testing.assert_array_equal(tensors["a_present"], np.arange(64) >= 20)


def test_mixup_is_decided_by_seed_and_step():
    first, again, other = mixed()[0], mixed()[0], mixed(seed=4)[0]
    resumed = mixed(batches=5, first_step=3)[0]
    for step in range(8):
        np.testing.assert_array_equal(first[step][0]["a"], again[step][0]["a"])
        assert (first[step][0]["a"] != other[step][0]["a"]).any()
        assert step == 0 or (first[step][0]["a"] != first[step - 1][0]["a"]).any()
    for step, batch in enumerate(resumed, 3):
        np.testing.assert_array_equal(batch[0]["a"], first[step][0]["a"])
        np.testing.assert_array_equal(batch[1], first[step][1])


def test_rows_that_count_nothing_stay_finite():
    tensors = {"a": np.eye(4, dtype=np.float32), "a_present": np.ones(4, bool)}
    batch = (tensors, np.zeros(4, np.int32), np.zeros(4, np.float32))
    ((_, targets, weights),) = mix_up(tf.data.Dataset.from_tensors(batch), 1.0, 2, seed=0)
    assert np.isfinite(targets).all()
    assert (weights.numpy() == 0).all()


@pytest.fixture(scope="module")
def branches():
    return build_branches(
        INPUTS, {"image": {"tiny_image": {"image_size": 48}}, "text": {"tiny_text": {}}}
    )


def cut(branches, rows=32, batches=6, absent=0, alpha=1.0):
    """Pictures of one colour each, which tells their row."""
    class_ids = np.arange(rows, dtype=np.int32) % CLASSES
    pixels = np.broadcast_to(
        np.arange(rows, dtype=np.uint8)[:, None, None, None], (rows, 48, 48, 3)
    )
    tensors = {
        "image_bytes_tiny_image_pixels": pixels,
        "image_bytes_present": np.arange(rows) >= absent,
        "text_present": np.ones(rows, bool),
        "text_tiny_text_token_ids": np.arange(rows * 4, dtype=np.int32).reshape(rows, 4),
    }
    data = tf.data.Dataset.from_tensors((tensors, class_ids, np.ones(rows, np.float32)))
    data = cut_mix(data.repeat(batches), branches, alpha, CLASSES, seed=5)
    return tensors, class_ids, list(data.as_numpy_iterator())


def test_cutmix_puts_one_rectangle_of_one_other_picture_and_says_its_share(branches):
    before, class_ids, batches = cut(branches)
    num_cut = 0
    for tensors, targets, weights in batches:
        assert (weights == 1).all()
        for row, picture in enumerate(tensors["image_bytes_tiny_image_pixels"][..., 0]):
            own = picture == row
            if own.all():
                continue
            num_cut += 1
            ys, xs = np.nonzero(~own)
            box = picture[ys.min() : ys.max() + 1, xs.min() : xs.max() + 1]
            assert len(np.unique(box)) == 1, "not a rectangle of one picture"
            expected = own.mean() * np.eye(CLASSES)[class_ids[row]]
            expected += (1 - own.mean()) * np.eye(CLASSES)[class_ids[box[0, 0]]]
            # A pixel at each side of the rectangle.
            np.testing.assert_allclose(targets[row], expected, atol=2 * 48 / 48**2)
            assert not tensors["text_present"][row]
        whole = tensors["image_bytes_tiny_image_pixels"][..., 0] == np.arange(32)[:, None, None]
        whole = whole.all(axis=(1, 2)) & tensors["text_present"]
        np.testing.assert_array_equal(targets[whole], np.eye(CLASSES)[class_ids[whole]])
        name = "text_tiny_text_token_ids"
        np.testing.assert_array_equal(tensors[name], before[name])
    # Half of 192, less those whose partner is the row itself or whose box is tiny.
    assert 70 < num_cut < 110


def test_cutmix_leaves_rows_without_a_picture(branches):
    _, class_ids, batches = cut(branches, absent=10)
    for tensors, targets, _ in batches:
        pixels = tensors["image_bytes_tiny_image_pixels"][..., 0]
        assert (pixels[:10] == np.arange(10)[:, None, None]).all()
        assert (pixels[10:] >= 10).all()
        assert tensors["text_present"][:10].all()
        np.testing.assert_array_equal(targets[:10], np.eye(CLASSES)[class_ids[:10]])


def test_cutmix_without_pictures_changes_nothing(branches):
    data = tf.data.Dataset.range(2)
    assert cut_mix(data, branches[1:], 1.0, CLASSES, seed=0) is data


FROZEN = {"image": {"image_backbone": {"weights": "random"}}, "text": {"ngram": {}}}
TRAINED = {**FROZEN, "image": {"image_backbone": {"weights": "random", "tuning": "full"}}}
BESIDE_FROZEN = {
    **TRAINED,
    "image": {**TRAINED["image"], "tiny_image": {"tuning": "frozen"}},
}


@pytest.mark.parametrize(
    ("encoders", "settings", "message"),
    [
        ({**FROZEN, "text": {"tiny_text": {}}}, ["augment.mixup=0.2"], r"none before.*tiny_text"),
        (FROZEN, ["augment.cutmix=1"], r"frozen.*tuning=full.*augment\.cutmix=0"),
        (TRAINED, ["augment.cutmix=1", "train.encoder_epochs=0"], "encoder_epochs above 0"),
        (BESIDE_FROZEN, ["augment.cutmix=1"], "all picture encoders must be trained.* 2 picture"),
        ({"text": TRAINED["text"]}, ["augment.cutmix=1"], "0 picture encoders"),
    ],
)
def test_mixing_that_the_encoders_do_not_allow_is_refused(encoders, settings, message):
    config = apply_overrides(Config(), settings)
    inputs = [spec for spec in INPUTS if spec.kind in encoders]
    with pytest.raises(ValueError, match=message):
        check_mixing(build_branches(inputs, encoders), config)


@pytest.mark.parametrize(("encoders", "setting"), [(FROZEN, "mixup=0.2"), (TRAINED, "cutmix=1")])
def test_mixing_that_fits_is_not_refused(encoders, setting):
    check_mixing(
        build_branches(INPUTS, encoders), apply_overrides(Config(), [f"augment.{setting}"])
    )

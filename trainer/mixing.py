"""Batches whose rows are mixed in pairs, with targets to match."""

from __future__ import annotations

from collections.abc import Sequence

import tensorflow as tf

from trainer.config import Config
from trainer.losses.vote_loss import is_soft
from trainer.preprocessing import Branch, present_name

_CUT_SHARE = 0.5
"""Share of the rows whose pictures are mixed: the others show how the inputs go together."""

Batch = tuple[dict[str, tf.Tensor], tf.Tensor, tf.Tensor]
"""Tensors by name, class ids or soft targets `(batch, num_classes)`, weights."""


def check_mixing(branches: Sequence[Branch], config: Config) -> None:
    """Refuses mixing where the encoders leave nothing to mix, or objectives no targets.

    Raises:
        ValueError: for either with `train.objectives`; for `augment.mixup` with
            an encoder whose embeddings are not computed once; for
            `augment.cutmix` unless all that reads pictures is trained in the
            second stage.
    """
    if (config.augment.mixup or config.augment.cutmix) and config.train.objectives:
        raise ValueError(
            "Mixed rows have no targets for train.objectives. Leave these out, or set "
            "augment.mixup=0 and augment.cutmix=0. Received: train.objectives="
            f"{dict(config.train.objectives)}."
        )
    learning = [branch.encoder_name for branch in branches if not branch.encoder.pretrained]
    if config.augment.mixup and learning:
        raise ValueError(
            "augment.mixup mixes embeddings that were computed once, and these encoders have none "
            f"before they are trained: {learning}. Leave them out of model.encoders, or set "
            "augment.mixup=0."
        )
    pictures = [branch.encoder for branch in branches if branch.input.kind == "image"]
    has_stage = config.train.encoder_epochs and any(
        branch.encoder.pretrained and branch.encoder.method.trains for branch in branches
    )
    mixes = has_stage and pictures and all(encoder.method.trains for encoder in pictures)
    if config.augment.cutmix and not mixes:
        raise ValueError(
            "augment.cutmix mixes pixels in the second stage, so all picture encoders must be "
            "trained there: embeddings of frozen ones are of whole pictures. Set model.encoders."
            "image.ENCODER.tuning=full and train.encoder_epochs above 0, or augment.cutmix=0 "
            f"(augment.mixup mixes embeddings). Received: {len(pictures)} picture encoders, "
            f"train.encoder_epochs={config.train.encoder_epochs}."
        )


def mix_up(
    data: tf.data.Dataset, alpha: float, num_classes: int, *, seed: int, first_step: int = 0
) -> tf.data.Dataset:
    """Mixes each row of a batch with another one that has the same inputs.

    Args:
        data: `Batch`es whose tensors are embeddings `(batch, dim)` and presences.
        alpha: float. Shares are drawn from Beta(alpha, alpha); 0 mixes none.
        num_classes: int.
        seed: int. Seed and step decide all.
        first_step: int. Of the first batch.

    Returns:
        `Batch`es with soft targets. A `VoteLoss` of a mixed row is that of its
        two rows, each by its weight and share; a row whose partner lacks other
        inputs stays as it is. The same batches where `alpha` is 0.

    Reference:
        Zhang et al., 2018, "mixup", arXiv:1710.09412, with a share for each row.
    """

    if not alpha:
        return data

    def mix(step: tf.Tensor, batch: Batch) -> Batch:
        tensors, targets, weights = batch
        partner_seed, share_seed = _seeds(seed, step, 2)
        partner = _draw_partners(tf.shape(weights)[0], partner_seed)
        presences = tf.stack([of for of in tensors.values() if of.dtype == tf.bool], axis=1)
        alike = tf.reduce_all(presences == tf.gather(presences, partner), axis=1)
        share = tf.where(alike, _draw_shares(tf.shape(weights)[0], alpha, share_seed), 1.0)
        mixed = {
            name: of
            if of.dtype == tf.bool
            else share[:, None] * of + (1 - share[:, None]) * tf.gather(of, partner)
            for name, of in tensors.items()
        }
        return mixed, *_mix_targets(targets, weights, share, partner, num_classes)

    return data.enumerate(first_step).map(mix, num_parallel_calls=tf.data.AUTOTUNE)


def cut_mix(
    data: tf.data.Dataset,
    branches: Sequence[Branch],
    alpha: float,
    num_classes: int,
    *,
    seed: int,
    first_step: int = 0,
) -> tf.data.Dataset:
    """Puts a rectangle of another row's pictures into those of half of the rows.

    A row with mixed pictures shows nothing else: its words would speak for one
    of the two products only.

    Args:
        data: `Batch`es of preprocessed tensors.
        branches: The encoders; pictures are what those of images read,
            `(batch, height, width, 3)`.
        alpha: float. The shares of the area are drawn from Beta(alpha, alpha);
            0 mixes none.
        num_classes: int.
        seed: int. Seed and step decide all.
        first_step: int. Of the first batch.

    Returns:
        `Batch`es with soft targets: the share of the area, to within a pixel
        at each side of the rectangle. The same batches where `alpha` is 0 or
        there are no pictures.

    Reference:
        Yun et al., 2019, "CutMix", arXiv:1905.04899, with a rectangle for each
        row, half of the rows, and the other modalities hidden.
    """
    images = [branch for branch in branches if branch.input.kind == "image"]
    if not alpha or not images:
        return data
    pixels = {name for branch in images for name in branch.encoder.input_specs()}
    shown = {present_name(branch.input.name) for branch in images}
    hidden = {present_name(branch.input.name) for branch in branches} - shown

    def mix(step: tf.Tensor, batch: Batch) -> Batch:
        tensors, targets, weights = batch
        partner_seed, share_seed, place_seed, cut_seed = _seeds(seed, step, 4)
        rows = tf.shape(weights)[0]
        partner = _draw_partners(rows, partner_seed)
        whole = tf.reduce_all(tf.stack([tensors[name] for name in shown], axis=1), axis=1)
        cut = tf.random.stateless_uniform([rows], cut_seed) < _CUT_SHARE
        cut &= whole & tf.gather(whole, partner)
        side = tf.sqrt(1 - _draw_shares(rows, alpha, share_seed))[:, None]
        centre = tf.random.stateless_uniform([rows, 2], place_seed)
        first = tf.maximum(centre - side / 2, 0)
        last = tf.minimum(centre + side / 2, 1)
        share = tf.where(cut, 1 - tf.reduce_prod(last - first, axis=1), 1.0)
        mixed = dict(tensors)
        for name, of in tensors.items():
            if name in pixels:
                inside = _boxes(first, last, of.shape[1], of.shape[2]) & cut[:, None, None]
                mixed[name] = tf.where(inside[..., None], tf.gather(of, partner), of)
            elif name in hidden:
                mixed[name] = of & ~cut
        return mixed, *_mix_targets(targets, weights, share, partner, num_classes)

    return data.enumerate(first_step).map(mix, num_parallel_calls=tf.data.AUTOTUNE)


def _seeds(seed: int, step: tf.Tensor, number: int) -> list[tf.Tensor]:
    seeds = tf.random.split(tf.stack([tf.constant(seed, tf.int64), step]), number)
    return tf.unstack(seeds, number)


def _draw_partners(rows: tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
    return tf.argsort(tf.random.stateless_uniform([rows], seed))


def _draw_shares(rows: tf.Tensor, alpha: float, seed: tf.Tensor) -> tf.Tensor:
    """Draws from Beta(alpha, alpha), the share that a row keeps of itself, `(rows,)`."""
    # In float64: for a small alpha both halves would often be zero in float32.
    halves = tf.random.stateless_gamma([rows, 2], seed, alpha, dtype=tf.float64)
    return tf.cast(halves[:, 0] / tf.reduce_sum(halves, axis=1), tf.float32)


def _boxes(first: tf.Tensor, last: tf.Tensor, height: int, width: int) -> tf.Tensor:
    """Says which pixels lie in rectangles `(rows, 2)` of parts of the sides."""
    inside = []
    for axis, length in enumerate((height, width)):
        middles = (tf.range(length, dtype=tf.float32) + 0.5) / length
        inside.append((middles >= first[:, axis, None]) & (middles < last[:, axis, None]))
    return inside[0][:, :, None] & inside[1][:, None, :]


def _mix_targets(
    targets: tf.Tensor, weights: tf.Tensor, share: tf.Tensor, partner: tf.Tensor, num_classes: int
) -> tuple[tf.Tensor, tf.Tensor]:
    """Returns targets and weights under which cross-entropy is the mixed loss of both rows."""
    own, other = share * weights, (1 - share) * tf.gather(weights, partner)
    soft = targets if is_soft(targets) else tf.one_hot(targets, num_classes)
    total = own + other
    targets = own[:, None] * soft + other[:, None] * tf.gather(soft, partner)
    # Rows may count nothing.
    return tf.math.divide_no_nan(targets, total[:, None]), total

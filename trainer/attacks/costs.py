"""What attacks make large: functions of logits, one value a row."""

from __future__ import annotations

import tensorflow as tf


def cross_entropy(logits: tf.Tensor, class_ids: tf.Tensor, aims: tf.Tensor) -> tf.Tensor:
    """Returns how improbable the true class is; flat where the network is sure of it."""
    del aims
    return tf.nn.sparse_softmax_cross_entropy_with_logits(class_ids, logits)


def margin(logits: tf.Tensor, class_ids: tf.Tensor, aims: tf.Tensor) -> tf.Tensor:
    """Returns by how much the best other class is ahead of the true one.

    Reference:
        Carlini and Wagner, 2017, arXiv:1608.04644, without the confidence.
    """
    del aims
    return _best_other(logits, class_ids) - _pick(logits, class_ids)


def aimed_ratio(logits: tf.Tensor, class_ids: tf.Tensor, aims: tf.Tensor) -> tf.Tensor:
    """Returns by how much the class aimed at is ahead, as a share of how far logits are apart.

    Neither a scale nor a shift of the logits changes it. With fewer than four
    classes there is no such share, and the difference is returned.

    Reference:
        Croce and Hein, 2020, arXiv:2003.01690, the targeted DLR loss.
    """
    ahead = _pick(logits, aims) - _pick(logits, class_ids)
    if logits.shape[-1] < 4:
        return ahead
    ranked = tf.math.top_k(logits, 4).values
    spread = ranked[:, 0] - (ranked[:, 2] + ranked[:, 3]) / 2
    return ahead / (spread + 1e-12)


def _pick(logits: tf.Tensor, class_ids: tf.Tensor) -> tf.Tensor:
    return tf.gather(logits, class_ids, batch_dims=1)


def _best_other(logits: tf.Tensor, class_ids: tf.Tensor) -> tf.Tensor:
    own = tf.one_hot(class_ids, logits.shape[-1], on_value=logits.dtype.min, off_value=0.0)
    return tf.reduce_max(logits + own, axis=-1)

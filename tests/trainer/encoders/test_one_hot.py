import json

import numpy as np
import tensorflow as tf

from trainer.encoders.one_hot import OneHotEncoder

VALUES = [b"red"] * 3 + [b"blue"] * 2 + ["中".encode()] * 2 + [b"once", b"", b""]


def make(values=VALUES, **options):
    encoder = OneHotEncoder("colour", **options)
    encoder.adapt(np.array(values, object))
    return encoder


def embed(encoder, values):
    return encoder.build()(encoder.preprocess(tf.constant(values, tf.string))).numpy()


def test_each_value_has_a_place_and_strangers_share_the_last():
    found = embed(make(), [b"red", b"blue", "中".encode(), b"once", b"never", b"Red", b""])
    np.testing.assert_array_equal(found.argmax(axis=1), [0, 1, 2, 3, 3, 3, 3])
    np.testing.assert_array_equal(np.sort(found, axis=1), [[0, 0, 0, 1]] * 7)


def test_keeps_the_most_frequent_values():
    assert make(max_values=2).get_state() == {"values": ["red", "blue"]}
    assert "once" in make(min_rows=1).get_state()["values"]


def test_no_value_at_all_is_no_error():
    np.testing.assert_array_equal(embed(make([b"", b""]), [b"", b"red"]), [[1], [1]])


def test_state_restores_preprocessing():
    restored = OneHotEncoder("colour")
    restored.set_state(json.loads(json.dumps(make().get_state())))
    rows = [b"blue", b"x", b""]
    np.testing.assert_array_equal(embed(restored, rows), embed(make(), rows))

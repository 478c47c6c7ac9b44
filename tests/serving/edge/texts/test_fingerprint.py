import numpy as np
import tensorflow as tf

from serving.edge.texts.fingerprint import fingerprint64


def test_is_the_hash_of_tensorflow():
    random = np.random.default_rng(0)
    texts = [random.bytes(length) for length in range(201)]
    # The largest number of buckets: all but one of the bits.
    buckets = 2**63 - 1
    expected = tf.strings.to_hash_bucket_fast(texts, buckets).numpy().tolist()
    assert [fingerprint64(text) % buckets for text in texts] == expected

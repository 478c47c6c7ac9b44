import tensorflow as tf

from trainer.encoders.tiny_text import TinyTextEncoder


def test_hashes_words_and_chinese_characters():
    encoder = TinyTextEncoder("text", max_tokens=4)
    texts = ["Red, RED wire", "耳机", "机", "a b c d e f", ""]
    ids = encoder.preprocess(tf.constant([t.encode() for t in texts]))["text_token_ids"].numpy()
    assert ids[0, 0] == ids[0, 1] != ids[0, 2]
    assert ids[1, 1] == ids[2, 0] > 0
    assert (ids > 0).sum(axis=1).tolist() == [3, 2, 1, 4, 0]
    assert ids.max() <= 512

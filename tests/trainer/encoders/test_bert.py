import keras
import keras_hub
import numpy as np
import pytest
import tensorflow as tf

from trainer.encoders.bert import BertEncoder
from trainer.weights.packages import find_package

# Ids of the pieces of the tiny preset (see conftest).
PIECES = ("red", "wire", "##less", "head", "##phones")
PAD, UNK, CLS, SEP, RED, WIRE, LESS, EAR, PHONE = 0, 1, 2, 3, 5, 6, 7, 10, 11


def _ids(encoder, *texts):
    tensors = encoder.preprocess(tf.constant([text.encode() for text in texts]))
    return tensors["text_token_ids"].numpy().tolist(), tensors["text_padding_mask"].numpy()


def test_cuts_text_into_word_pieces(tiny_bert):
    encoder = BertEncoder("text", weights=tiny_bert, max_tokens=7)
    ids, mask = _ids(encoder, "RED wireless", "耳机 gadget", "")
    assert ids[0] == [CLS, RED, WIRE, LESS, SEP, PAD, PAD]
    assert ids[1] == [CLS, EAR, PHONE, UNK, SEP, PAD, PAD]
    assert ids[2] == [CLS, SEP, PAD, PAD, PAD, PAD, PAD]
    assert mask.sum(axis=1).tolist() == [5, 5, 2]


def test_cuts_long_text_at_max_tokens(tiny_bert):
    encoder = BertEncoder("text", weights=tiny_bert, max_tokens=5)
    ids, mask = _ids(encoder, "red " * 25_000, "耳" * 100_000)
    assert ids == [[CLS, RED, RED, RED, SEP], [CLS, EAR, EAR, EAR, SEP]]
    assert mask.all()


def test_reads_long_texts_in_windows(tiny_bert):
    encoder = BertEncoder("text", weights=tiny_bert, max_tokens=4, windows=3)
    ids, mask = _ids(encoder, "red wireless red red", "red wire", "", "red " * 99)
    assert ids[0] == [CLS, RED, WIRE, SEP, CLS, LESS, RED, SEP, CLS, RED, SEP, PAD]
    assert ids[1] == [CLS, RED, WIRE, SEP, *[PAD] * 8]
    assert ids[2] == [CLS, SEP, *[PAD] * 10]
    assert ids[3] == [CLS, RED, RED, SEP] * 3
    np.testing.assert_array_equal(mask, np.array(ids) != PAD)


@pytest.mark.parametrize("pooling", ["mean", "cls"])
def test_windows_count_by_their_tokens(tiny_bert, pooling):
    options = {"weights": tiny_bert, "max_tokens": 6, "pooling": pooling}
    long = BertEncoder("text", windows=3, **options)
    whole = long.build()(long.preprocess(tf.constant([b"red wire red wire red red"])))[0]
    plain = BertEncoder("text", **options)
    model = plain.build()
    unscaled = keras.Model(model.input, model.get_layer("text_pooling").output)
    parts = unscaled(plain.preprocess(tf.constant([b"red wire red wire", b"red red"]))).numpy()
    counts = (6, 4) if pooling == "mean" else (1, 1)
    expected = np.average(parts, axis=0, weights=counts)
    np.testing.assert_allclose(whole, expected / np.linalg.norm(expected), atol=1e-5)


def test_special_pieces_in_a_text_are_plain_text(tiny_bert):
    encoder = BertEncoder("text", weights=tiny_bert, max_tokens=16)
    ids, _ = _ids(encoder, "red [SEP] red [PAD]")
    assert ids[0].count(SEP) == 1 and ids[0][-1] == PAD
    assert ids[0].count(RED) == 2


def test_embedding_ignores_padding(tiny_bert):
    texts = tf.constant([b"red wireless headphones"])
    short, long = (BertEncoder("text", weights=tiny_bert, max_tokens=n) for n in (8, 24))
    expected = short.build()(short.preprocess(texts))
    np.testing.assert_allclose(long.build()(long.preprocess(texts)), expected, atol=1e-5)
    np.testing.assert_allclose(np.linalg.norm(expected, axis=1), 1, atol=1e-5)


def test_cls_pooling_takes_another_embedding(tiny_bert):
    encoders = [
        BertEncoder("text", weights=tiny_bert, max_tokens=8, pooling=p) for p in ("mean", "cls")
    ]
    texts = tf.constant([b"red wireless headphones"])
    mean, cls = (encoder.build()(encoder.preprocess(texts)).numpy() for encoder in encoders)
    assert np.abs(mean - cls).max() > 0.05


def test_title_is_the_first_line_read_by_itself(tiny_bert):
    encoder = BertEncoder("text", weights=tiny_bert, max_tokens=12, title_tokens=5)
    texts = [b"red wireless\nred red\nred", b"red", b"", b"\nred"]
    embeddings = encoder.build()(encoder.preprocess(tf.constant(texts))).numpy()
    for tokens, half, expected_of in (
        (12, embeddings[:, : embeddings.shape[1] // 2], texts),
        (5, embeddings[:, embeddings.shape[1] // 2 :], [b"red wireless", b"red", b"", b""]),
    ):
        plain = BertEncoder("text", weights=tiny_bert, max_tokens=tokens)
        expected = plain.build()(plain.preprocess(tf.constant(expected_of)))
        np.testing.assert_allclose(half, expected, atol=1e-5)


@pytest.mark.parametrize("pooling", ["mean", "cls"])
def test_every_trainable_weight_gets_a_gradient(tiny_bert, pooling):
    encoder = BertEncoder("text", "full", weights=tiny_bert, max_tokens=8, pooling=pooling)
    model = encoder.build()
    with tf.GradientTape() as tape:
        embedding = model(encoder.preprocess(tf.constant([b"red", b"wire"])), training=True)
        loss = tf.reduce_sum(embedding[:, 0])
    gradients = tape.gradient(loss, model.trainable_weights)
    assert len(gradients) > 20
    assert all(gradient is not None for gradient in gradients)


def test_dropout_acts_only_while_training_all_of_it(tiny_bert):
    encoder = BertEncoder("text", "full", weights=tiny_bert, max_tokens=8)
    model = encoder.build()
    tensors = encoder.preprocess(tf.constant([b"red wireless headphones"]))
    assert np.abs(model(tensors, training=True) - model(tensors)).max() > 1e-3
    model.trainable = False
    np.testing.assert_allclose(model(tensors, training=True), model(tensors), atol=1e-6)


def test_a_restored_encoder_needs_no_weights(tiny_bert):
    state = BertEncoder("text", weights=tiny_bert).get_state()
    restored = BertEncoder("text", weights="/no/such/preset", max_tokens=6)
    restored.set_state(state)
    assert _ids(restored, "red wire")[0] == [[CLS, RED, WIRE, SEP, PAD, PAD]]


def test_keeps_float32_embeddings_in_mixed_precision(tiny_bert):
    encoder = BertEncoder("text", weights=tiny_bert, max_tokens=8)
    tensors = encoder.preprocess(tf.constant([b"red wireless headphones"]))
    expected = encoder.build()(tensors)
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        embedding = encoder.build()(tensors)
    finally:
        keras.config.set_dtype_policy("float32")
    assert embedding.dtype == tf.float32
    np.testing.assert_allclose(embedding, expected, atol=0.05)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"pooling": "max"}, r"one of \['mean', 'cls'\]"),
        ({"max_tokens": 2}, "3 or more"),
        ({"windows": 0}, "at least 1"),
        ({"num_layers": -1}, "`num_layers` must be at least 0"),
        ({"max_pieces": -1}, "`max_pieces` must be at least 0"),
    ],
)
def test_refuses_wrong_options(options, message):
    with pytest.raises(ValueError, match=message):
        BertEncoder("text", **options)


def test_refuses_more_tokens_than_the_preset_reads(tiny_bert):
    with pytest.raises(ValueError, match=r"at most 32 tokens. Received: max_tokens=33"):
        BertEncoder("text", weights=tiny_bert, max_tokens=33).build()


def test_refuses_more_layers_than_the_preset_has(tiny_bert):
    with pytest.raises(ValueError, match=r"has 2 layers. Received: num_layers=3"):
        BertEncoder("text", weights=tiny_bert, max_tokens=8, num_layers=3).build()


def test_an_adapter_goes_on_as_it_was_trained(tiny_bert, tmp_path):
    options = {"weights": tiny_bert, "max_tokens": 8, "adapter": str(tmp_path / "a.safetensors")}
    first = BertEncoder("text", "lora", {"rank": 2}, weights=tiny_bert, max_tokens=8)
    first.write_adapter(tmp_path / "a.safetensors", first.build())
    for fits in (("lora", {"rank": 2, "learning_rate": 0.1}), ("frozen", {})):
        BertEncoder("text", *fits, **options).check_adapter()
    for other in (("lora", {"rank": 3}), ("bitfit", {})):
        with pytest.raises(ValueError, match=r"Expected: tuning='lora', .*'rank': 2.* Received"):
            BertEncoder("text", *other, **options).check_adapter()
    with pytest.raises(ValueError, match="only the weights that it was trained on"):
        BertEncoder("text", pooling="cls", **options).build()


def _reference_embedding(folder, token_ids):
    """all-MiniLM-L6-v2 in NumPy, from its file: BERT, average of tokens, length 1."""
    from safetensors.numpy import load_file

    tensors = load_file(folder / "model.safetensors")

    def dense(x, name):
        return x @ tensors[f"{name}.weight"].T + tensors[f"{name}.bias"]

    def norm(x, name):
        x = x - x.mean(-1, keepdims=True)
        x = x / np.sqrt((x**2).mean(-1, keepdims=True) + 1e-12)
        return x * tensors[f"{name}.weight"] + tensors[f"{name}.bias"]

    def gelu(x):
        return 0.5 * x * (1 + np.tanh(np.sqrt(2 / np.pi) * (x + 0.044715 * x**3)))

    kinds, length = ("word", "position", "token_type"), len(token_ids)
    rows = (token_ids, np.arange(length), np.zeros(length, int))
    x = sum(
        tensors[f"embeddings.{kind}_embeddings.weight"][row]
        for kind, row in zip(kinds, rows, strict=True)
    )
    x = norm(x, "embeddings.LayerNorm")
    for index in range(6):
        layer = f"encoder.layer.{index}"
        query, key, value = (
            dense(x, f"{layer}.attention.self.{part}").reshape(length, 12, 32).swapaxes(0, 1)
            for part in ("query", "key", "value")
        )
        scores = np.exp(query @ key.swapaxes(1, 2) / np.sqrt(32))
        attended = (scores / scores.sum(-1, keepdims=True)) @ value
        attended = attended.swapaxes(0, 1).reshape(length, 384)
        x = norm(
            x + dense(attended, f"{layer}.attention.output.dense"),
            f"{layer}.attention.output.LayerNorm",
        )
        inner = gelu(dense(x, f"{layer}.intermediate.dense"))
        x = norm(x + dense(inner, f"{layer}.output.dense"), f"{layer}.output.LayerNorm")
    pooled = x.mean(axis=0)
    return pooled / np.linalg.norm(pooled)


@pytest.mark.pretrained
def test_minilm_equals_an_independent_forward_pass():
    encoder = BertEncoder("text", max_tokens=32)
    texts = ["Wireless headphones with microphone", "Bluetooth earbuds", "Cotton summer dress", ""]
    tensors = encoder.preprocess(tf.constant([text.encode() for text in texts]))
    embeddings = encoder.build()(tensors).numpy()
    # Ids of bert-base-uncased: [CLS] wireless head ##phones with microphone [SEP].
    token_ids = [101, 9949, 2132, 19093, 2007, 15545, 102]
    assert tensors["text_token_ids"][0, :8].numpy().tolist() == [*token_ids, 0]
    expected = _reference_embedding(find_package("all-minilm-l6-v2"), token_ids)
    np.testing.assert_allclose(embeddings[0], expected, atol=1e-5)
    similar, unlike = embeddings[0] @ embeddings[1], embeddings[0] @ embeddings[2]
    assert similar > 0.5
    assert unlike < 0.3


@pytest.mark.pretrained
def test_tokenises_as_kerashub_does():
    import keras_hub

    folder = str(find_package("all-minilm-l6-v2"))
    tokenizer = keras_hub.models.BertTokenizer.from_preset(folder)
    texts = [
        "Men's Running-Shoes, size 8.5 (black/red)!",
        "USB-C 3.1 cable @ Rs. 1,299.00",
        "蓝牙耳机",
    ]
    ids, mask = _ids(BertEncoder("text", max_tokens=32), *texts)
    for text, row, length in zip(texts, ids, mask.sum(axis=1), strict=True):
        assert row[1 : length - 1] == np.asarray(tokenizer(text)).tolist()


@pytest.mark.pretrained
def test_strips_accents_as_bert_was_trained():
    encoder = BertEncoder("text", max_tokens=8)
    assert _ids(encoder, "Décor Élan")[0] == _ids(encoder, "decor elan")[0]


def test_first_layers_are_those_of_the_whole(tiny_bert):
    tensors = BertEncoder("text", weights=tiny_bert, max_tokens=8).preprocess(
        tf.constant([b"red wireless headphones", b"wire"])
    )
    backbone = keras_hub.models.BertBackbone.from_preset(tiny_bert)
    layer = keras.Model(backbone.input, backbone.get_layer("transformer_layer_0").output)
    ids, mask = tensors["text_token_ids"], tensors["text_padding_mask"]
    sequence = layer({"token_ids": ids, "segment_ids": ids * 0, "padding_mask": mask}).numpy()
    mask = mask.numpy()[..., None]
    mean = (sequence * mask).sum(axis=1) / mask.sum(axis=1)
    expected = mean / np.linalg.norm(mean, axis=1, keepdims=True)
    encoder = BertEncoder("text", weights=tiny_bert, max_tokens=8, num_layers=1)
    np.testing.assert_allclose(encoder.build()(tensors), expected, atol=1e-5)
    whole = BertEncoder("text", weights=tiny_bert, max_tokens=8).build()(tensors)
    assert np.abs(whole - expected).max() > 1e-4


def test_word_pieces_are_trimmed_to_those_of_training_texts(tiny_bert):
    options = {"weights": tiny_bert, "max_tokens": 8, "title_tokens": 4}
    texts = np.array([b"red wireless red", b"red wire", b""], object)
    trimmed, whole = BertEncoder("text", max_pieces=9, **options), BertEncoder("text", **options)
    assert trimmed.adapts and not whole.adapts
    trimmed.adapt(texts)
    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    kept = [*special, "red", "wire", "##less", "耳", "机", "!"]
    assert trimmed.get_state() == {"vocabulary": kept, "lowercase": True}
    # Embeds as ever what it has learned from, and what is spelled with single characters.
    asked = tf.constant([*texts, "red 耳!".encode()])
    expected = whole.build()(whole.preprocess(asked))
    np.testing.assert_allclose(trimmed.build()(trimmed.preprocess(asked)), expected, atol=1e-6)
    assert trimmed.build().count_params() == whole.build().count_params() - 2 * 8
    ids = trimmed.preprocess(tf.constant([b"headphones"]))["text_token_ids"][0]
    assert ids.numpy().tolist() == [CLS, UNK, SEP, *[PAD] * 5]


def test_the_most_frequent_word_pieces_are_kept(tiny_bert):
    encoder = BertEncoder("text", weights=tiny_bert, max_tokens=9, max_pieces=2)
    encoder.adapt(np.array([b"wireless headphones", b"wire", b"wire", b"headphones red"], object))
    found = set(encoder.get_state()["vocabulary"])
    assert found & set(PIECES) == {"wire", "head"}

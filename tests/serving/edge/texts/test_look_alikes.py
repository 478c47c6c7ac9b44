import tensorflow as tf

from serving.edge.texts.look_alikes import fold_look_alikes
from trainer.layers import text_ops


def test_folds_as_the_trainer_does(hard_texts, code_points):
    # Apart: the trainer takes memory for as many characters of each text as the longest has.
    for texts in (hard_texts, [f"{letter}a {letter}1".encode() for letter in code_points]):
        expected = text_ops.fold_look_alikes(tf.constant(texts)).numpy()
        for text, folded in zip(texts, expected, strict=True):
            assert fold_look_alikes(text) == folded, text[:200]


def test_only_words_with_latin_letters_change():
    text = "рrice рис Ｗi\u00adfi a1\nl12 b1".encode()
    assert fold_look_alikes(text).decode() == "price рис Wifi al\nl12 bl"

import numpy as np
import tensorflow as tf

from trainer.same_saved_model import settle_saved_model

SPEC = [tf.TensorSpec([None], tf.string, name="words")]


class Lookup(tf.Module):
    """Has what names are drawn for: a table, a loop, a branch, a gradient."""

    def __init__(self):
        super().__init__()
        keys = tf.constant(["red", "blue"])
        values = tf.constant([3, 5], tf.int64)
        self.table = tf.lookup.StaticHashTable(
            tf.lookup.KeyValueTensorInitializer(keys, values), default_value=1
        )
        self.weights = [tf.Variable([float(at)] * 2) for at in range(12)]

    @tf.function(input_signature=SPEC)
    def serve(self, words):
        counts = tf.map_fn(
            lambda number: tf.cond(number > 2, lambda: number * 2, lambda: number),
            self.table.lookup(words),
        )
        with tf.GradientTape() as tape:
            scores = tf.cast(counts, tf.float32)[:, None] * tf.add_n(self.weights)
            total = tf.reduce_sum(scores**2)
        return {"scores": scores, "slope": tape.gradient(total, self.weights[3])[None]}


def write(folder):
    module = Lookup()
    tf.saved_model.save(module, str(folder), signatures={"serve": module.serve})
    settle_saved_model(folder)
    return module


def read(folder):
    return {
        path.relative_to(folder): path.read_bytes() for path in folder.rglob("*") if path.is_file()
    }


def test_the_same_model_is_the_same_files_and_answers_as_before(tmp_path):
    module = write(tmp_path / "a")
    for size in range(3):  # what is traced in between is not told
        tf.function(lambda rows: rows + 1)(tf.zeros(size))
    write(tmp_path / "b")
    first, second = read(tmp_path / "a"), read(tmp_path / "b")
    assert first.keys() == second.keys()
    assert [name for name in first if first[name] != second[name]] == []
    words = tf.constant(["red", "green", "blue"])
    expected = module.serve(words)
    loaded = tf.saved_model.load(str(tmp_path / "b")).signatures["serve"](words=words)
    for name, value in expected.items():
        np.testing.assert_array_equal(loaded[name], value)
    with tf.compat.v1.Session(graph=tf.Graph()) as session:
        graph = tf.compat.v1.saved_model.load(session, ["serve"], str(tmp_path / "b"))
        asked = graph.signature_def["serve"]
        answer = session.run(
            asked.outputs["scores"].name, {asked.inputs["words"].name: words.numpy()}
        )
    np.testing.assert_array_equal(answer, expected["scores"])

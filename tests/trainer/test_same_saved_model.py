from itertools import permutations

import numpy as np
import pytest
import tensorflow as tf
from tensorflow.core.example.feature_pb2 import Features
from tensorflow.core.framework.attr_value_pb2 import NameAttrList
from tensorflow.core.protobuf.meta_graph_pb2 import MetaGraphDef
from tensorflow.core.protobuf.saved_object_graph_pb2 import SavedObjectGraph

from trainer.same_saved_model import _renaming, settle_saved_model
from trainer.same_saved_model import _visit as rename_all

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


@pytest.mark.parametrize("order", list(permutations([2, 3, 5])), ids=str)
def test_names_that_others_have_had_take_nothing_away(order):
    """`f_3` becomes `f_2` while there is still an `f_2` that is to become `f_1`."""
    names = [f"f_{number}" for number in order]
    rename = _renaming(set(names), set(order))
    features, config = Features(), NameAttrList()
    for name in names:
        features.feature[name].int64_list.value.append(int(name[2:]))
        config.attr[name].func.name = name
    rename_all(features, rename)
    rename_all(config, rename)
    found = {name: list(one.int64_list.value) for name, one in features.feature.items()}
    assert found == {"f_1": [2], "f_2": [3], "f_3": [5]}
    assert {name: one.func.name for name, one in config.attr.items()} == {
        name: name for name in ("f_1", "f_2", "f_3")
    }


def test_names_of_plain_values_are_kept_apart_too():
    functions = SavedObjectGraph()
    signatures = MetaGraphDef.MetaInfoDef()
    for number in (2, 3, 5):
        signatures.function_aliases[f"f_{number}"] = f"f_{number} alias"
        functions.concrete_functions[f"f_{number}"].bound_inputs.append(number)
    rename = _renaming({"f_2", "f_3", "f_5"}, {2, 3, 5})
    rename_all(signatures, rename)
    rename_all(functions, rename)
    told = {name: list(one.bound_inputs) for name, one in functions.concrete_functions.items()}
    assert told == {"f_1": [2], "f_2": [3], "f_3": [5]}
    assert signatures.function_aliases == {f"f_{rank}": f"f_{rank} alias" for rank in (1, 2, 3)}

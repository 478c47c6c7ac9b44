"""The exported folder is one that TF Serving loads and that no row can bring down."""

from __future__ import annotations

import json
import subprocess
import sys

import numpy as np
import pytest
import tensorflow as tf
from tensorflow_serving.apis import prediction_log_pb2

from trainer.artefact import ModelCard, find_export
from trainer.data.examples import read_examples, row_ids
from trainer.data.table import read_table
from trainer.preprocessing import raw_values
from trainer.registry import MODALITIES
from trainer.servable import TEXT_OPS, check_servable, list_ops
from trainer.warmup import WARMUP_FILE, batch_sizes

ROWS = 12


@pytest.fixture(scope="module")
def folder(trained):
    return find_export(trained.folder)


@pytest.fixture(scope="module")
def card(folder):
    return ModelCard.load(folder)


@pytest.fixture(scope="module")
def signatures(folder):
    # The loaded object must live as long as its signatures.
    loaded = tf.saved_model.load(str(folder))
    yield loaded.signatures
    del loaded


@pytest.fixture(scope="module")
def names(card):
    return {spec.kind: spec.name for spec in card.inputs}


@pytest.fixture(scope="module")
def rows(card, shop):
    table = read_table(shop)
    return [of.values for of in read_examples(table, card.inputs, row_ids(table))][:ROWS]


def ask(signatures, card, rows, signature="serving_default"):
    outputs = signatures[signature](**raw_values(card.inputs, rows))
    return {name: of.numpy() for name, of in outputs.items()}


def test_signatures_have_the_names_shapes_and_types_of_the_contract(signatures, names):
    shapes = {
        name: {key: (of.dtype.name, of.shape.rank) for key, of in of.structured_outputs.items()}
        for name, of in signatures.items()
    }
    row = {"label": ("string", 1), "confidence": ("float32", 1), "status": ("string", 1)}
    assert shapes == {
        "serving_default": {**row, "scores": ("float32", 2), "labels": ("string", 2)},
        "features": {
            "embedding": ("float32", 2),
            "scores": ("float32", 2),
            "status": ("string", 1),
        },
        "explain": {
            **row,
            "inputs": ("string", 2),
            "shares": ("float32", 2),
            "evidence": ("float32", 1),
            f"{names['image']}_regions": ("float32", 3),
            f"{names['text']}_words": ("string", 2),
            f"{names['text']}_word_scores": ("float32", 2),
        },
        "health": {"status": ("string", 1), "card": ("string", 1)},
    }


def spoil(kind, card, value):
    """Returns `(value, problem)`s, of which each is none that can be read, or cut."""
    limit = card.max_text_characters
    return {
        "image": [
            (b"\xff\xd8\xff and no picture", "not a picture that can be decoded"),
            (value[:-60] if kind == "image" else b"", "not a picture that can be decoded"),
            (b"GIF89a" + bytes(20), "GIF and animated pictures are not decoded here"),
            (b"\xff\xd8\xff" + bytes(card.max_picture_bytes), "larger than 20 MB"),
        ],
        "text": [
            (b"broken \xff\xfe bytes", "not UTF-8"),
            (b"long " * limit, f"longer than {limit:,} characters"),
        ],
        "number": [(np.inf, "not a finite number"), (-np.inf, "not a finite number")],
        "category": [(b"\xc3\x28", "not UTF-8")],
    }[kind]


@pytest.mark.parametrize("signature", ["serving_default", "features", "explain"])
@pytest.mark.parametrize("kind", ["image", "text", "number", "category"])
def test_a_spoilt_row_is_told_of_and_the_others_do_not_change(
    signatures, card, names, rows, kind, signature
):
    name = names[kind]
    place = next(i for i, row in enumerate(rows) if row[name] == row[name] and row[name])
    absent = MODALITIES.get(kind).absent
    whole = ask(signatures, card, rows, signature)
    without = [{**row, name: absent} if i == place else row for i, row in enumerate(rows)]
    expected = ask(signatures, card, without, signature)
    for value, problem in spoil(kind, card, rows[place][name]):
        changed = [{**row, name: value} if i == place else row for i, row in enumerate(rows)]
        found = ask(signatures, card, changed, signature)
        status = [of.decode() for of in found["status"]]
        assert status[place].startswith(f"{name}: {problem}"), value[:20]
        for i in range(ROWS):
            if i == place:
                continue
            assert status[i] == whole["status"][i].decode()
            for key, of in found.items():
                if key.endswith(("_words", "_word_scores")):  # as wide as the longest text
                    width = min(of.shape[1], whole[key].shape[1])
                    np.testing.assert_array_equal(of[i, :width], whole[key][i, :width])
                elif key != "status":
                    np.testing.assert_array_equal(of[i], whole[key][i], err_msg=key)
        if kind in ("image", "number"):
            for key in ("scores", "shares"):
                if key in found:
                    np.testing.assert_array_equal(found[key][place], expected[key][place])


def test_says_when_there_is_nothing_to_go_by(signatures, card, rows):
    nothing = {spec.name: MODALITIES.get(spec.kind).absent for spec in card.inputs}
    for signature in ("serving_default", "features", "explain"):
        found = ask(signatures, card, [nothing, rows[0]], signature)
        assert found["status"].tolist() == [b"nothing to go by", b"ok"]
    assert not found["shares"][0].any()


def test_takes_the_largest_batch_and_refuses_a_larger_one(signatures, card, rows):
    many = [rows[i % ROWS] for i in range(card.max_batch + 1)]
    assert len(ask(signatures, card, many[:-1])["label"]) == card.max_batch
    for signature in ("serving_default", "features", "explain"):
        with pytest.raises(tf.errors.InvalidArgumentError, match=f"at most {card.max_batch} rows"):
            ask(signatures, card, many, signature)


def test_refuses_inputs_of_different_lengths(signatures, card, names, rows):
    raw = raw_values(card.inputs, rows[:2])
    raw[names["number"]] = tf.constant([1.0])
    with pytest.raises(tf.errors.InvalidArgumentError, match="as many rows"):
        signatures["serving_default"](**raw)


def test_refuses_a_batch_of_none(signatures, card):
    with pytest.raises(tf.errors.InvalidArgumentError, match="at least one row"):
        ask(signatures, card, [])


def test_health_runs_the_network_and_gives_the_card(signatures, card):
    found = signatures["health"](probe=tf.constant(["", "x"]))
    assert found["status"].numpy().tolist() == [b"ok", b"ok"]
    assert json.loads(found["card"].numpy()[1]) == json.loads(json.dumps(card.to_dict()))


def test_limits_are_in_the_card_and_older_cards_load(folder, card, tmp_path):
    told = json.loads((folder / "assets.extra" / "taxofuse.json").read_text())
    limits = ("max_picture_bytes", "max_picture_pixels", "max_text_characters")
    assert [told[name] for name in limits] == [20 * 2**20, 64_000_000, 20_000]
    older = {name: of for name, of in told.items() if name not in limits}
    (tmp_path / "assets.extra").mkdir()
    (tmp_path / "assets.extra" / "taxofuse.json").write_text(json.dumps(older))
    assert ModelCard.load(tmp_path) == card


def test_warm_up_records_are_answered(folder, card, signatures):
    path = folder / "assets.extra" / WARMUP_FILE
    logs = [
        prediction_log_pb2.PredictionLog.FromString(record.numpy())
        for record in tf.data.TFRecordDataset(str(path))
    ]
    assert len(logs) <= 1000
    assert path.stat().st_size < 2**20
    sizes = []
    for log in logs:
        request = log.predict_log.request
        signature = request.model_spec.signature_name
        raw = {name: tf.constant(tf.make_ndarray(of)) for name, of in request.inputs.items()}
        found = signatures[signature](**raw)
        status = found["status"].numpy().tolist()
        assert set(status) <= {b"ok", b"nothing to go by"}
        assert status[0] == b"ok"
        if signature == "serving_default":
            sizes.append(len(status))
    assert sizes == batch_sizes(card.max_batch) == [1, 2, 4, 8, 16, 32, 64]
    assert {log.predict_log.request.model_spec.signature_name for log in logs} == set(signatures)


def test_has_only_operations_that_tf_serving_has(folder):
    ops = check_servable(folder)
    assert {"DecodeJpeg", "IgnoreErrorsDataset", "StatefulPartitionedCall"} <= set(ops)
    assert not [op for op in ops if "PyFunc" in op]


def test_python_and_foreign_operations_are_found(tmp_path):
    import tensorflow_text

    module = tf.Module()
    module.run = tf.function(
        lambda texts: tf.numpy_function(lambda of: of, [texts], tf.string),
        [tf.TensorSpec([None], tf.string)],
    )
    tf.saved_model.save(module, str(tmp_path / "python"))
    with pytest.raises(ValueError, match=r"no Python.*PyFunc"):
        check_servable(tmp_path / "python")
    other = tf.Module()
    other.run = tf.function(tensorflow_text.case_fold_utf8, [tf.TensorSpec([None], tf.string)])
    tf.saved_model.save(other, str(tmp_path / "other"))
    assert not set(list_ops(tmp_path / "other")) & TEXT_OPS
    with pytest.raises(ValueError, match="CaseFoldUTF8"):
        check_servable(tmp_path / "other")


TF1 = """
import sys, numpy as np, tensorflow as tf, tensorflow_text
folder, questions, answers = sys.argv[1:]
raw = dict(np.load(questions, allow_pickle=True))
with tf.compat.v1.Session(graph=tf.Graph()) as session:
    meta = tf.compat.v1.saved_model.load(session, ["serve"], folder)
    found = {}
    for name in ("serving_default", "features", "explain"):
        signature = meta.signature_def[name]
        feed = {signature.inputs[key].name: of for key, of in raw.items()}
        wanted = {key: of.name for key, of in signature.outputs.items()}
        for key, of in session.run(wanted, feed).items():
            found[f"{name}/{key}"] = of
    assert not [m for m in sys.modules if m.split(".")[0] in ("trainer", "keras_hub")]
np.savez(answers, **found)
"""


def test_answers_the_same_in_a_session_of_a_process_of_its_own(
    folder, card, signatures, rows, names, tmp_path
):
    rows = [*rows, {**rows[0], names["image"]: b"\xff\xd8\xff no picture"}]
    raw = {spec.name: np.array([row[spec.name] for row in rows]) for spec in card.inputs}
    for spec in card.inputs:
        kind = np.float32 if spec.kind == "number" else object
        raw[spec.name] = np.array([row[spec.name] for row in rows], kind)
    np.savez(tmp_path / "raw.npz", **raw)
    command = [sys.executable, "-I", "-c", TF1, folder, tmp_path / "raw.npz", tmp_path / "out.npz"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=tmp_path)
    assert done.returncode == 0, done.stderr[-3000:]
    answers = np.load(tmp_path / "out.npz", allow_pickle=True)
    for signature in ("serving_default", "features", "explain"):
        for key, expected in ask(signatures, card, rows, signature).items():
            found = answers[f"{signature}/{key}"]
            if expected.dtype == object:
                assert found.tolist() == expected.tolist(), key
            else:
                np.testing.assert_allclose(found, expected, atol=1e-5, err_msg=key)


def test_a_copy_is_the_next_version_and_appears_whole(trained, call, tmp_path, monkeypatch):
    import shutil

    copy, seen = shutil.copytree, []

    def watch(*arguments, **options):
        seen.extend(child.name for child in tmp_path.iterdir())
        return copy(*arguments, **options)

    monkeypatch.setattr(shutil, "copytree", watch)
    for version in ("1", "2"):
        done = call("export", "--model", trained.folder, "--out", tmp_path)
        assert done.code == 0, done.stderr
        assert find_export(tmp_path) == tmp_path / version
    assert not [name for name in seen if name not in ("1",) and name.isdigit()]
    assert (tmp_path / "2" / "assets.extra" / WARMUP_FILE).is_file()

"""A trained run on a device: folder, program, certificate."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pandas as pd
import pytest
from ai_edge_litert.interpreter import Interpreter

from serving.edge.classifier import Classifier
from trainer.artefact import ModelCard, find_export
from trainer.data.examples import read_examples, row_ids
from trainer.data.table import read_table
from trainer.predictor import Predictor

VARIANTS = ["dynamic_range", "float16", "float32", "full_integer", "qat_int8"]


@pytest.fixture(scope="module")
def exported(trained, call, tmp_path_factory):
    """Returns the folder of all variants of the shop's model."""
    out = tmp_path_factory.mktemp("edge") / "model"
    done = call(
        "export", "--model", trained.folder, "--out", out, "--format", "tflite",
        "--quantize", "all", folder=out,
    )  # fmt: skip
    assert done.code == 0, done.stderr
    return done


@pytest.fixture(scope="module")
def products(trained, shop):
    table = read_table(shop)
    card = ModelCard.load(find_export(trained.folder))
    return [of.values for of in read_examples(table, card.inputs, row_ids(table))]


def test_the_folder_holds_what_a_device_needs(exported) -> None:
    names = {path.name for path in exported.folder.iterdir()}
    networks = {f"model-{name}.tflite" for name in VARIANTS}
    assert names == {"edge.json", "certificate.json", "serving", *networks}
    assert all(name in exported.stdout for name in VARIANTS)
    assert "the model has learned from 36 of the 36 rows" in exported.stderr


@pytest.mark.parametrize("variant", VARIANTS)
def test_a_device_answers_as_the_server_does(exported, trained, shop, products, variant) -> None:
    expected = Predictor(trained.folder).answer(read_table(shop)).scores
    classifier = Classifier(exported.folder, variant)
    found = np.array([of.scores for of in classifier.answer_all(products)])
    exact = variant == "float32"
    assert np.abs(found - expected).max() < (1e-5 if exact else 0.1)
    assert np.mean(found.argmax(axis=1) == expected.argmax(axis=1)) >= (1.0 if exact else 0.97)
    if not exact:
        assert np.abs(found - expected).max() > 1e-6


def test_the_certificate_tells_what_was_measured(exported, shop) -> None:
    told = json.loads((exported.folder / "certificate.json").read_text())
    rows = len(pd.read_csv(shop))
    assert told["num_calibrated"] == rows // 2
    assert list(told["variants"]) == VARIANTS
    for name, of in told["variants"].items():
        content = (exported.folder / f"model-{name}.tflite").read_bytes()
        assert of["num_rows"] == of["num_labelled"] == rows - rows // 2
        assert of["bytes"] == len(content)
        assert 0.97 <= of["agreement"]["float"] <= 1
        assert of["accuracy"]["float"] >= of["accuracy"]["device"] - 0.02
        assert of["milliseconds"] > 0
    # By rule: normalisations, and the pool of the votes.
    names = {path.split("/")[-1] for path in told["variants"]["full_integer"]["in_float"]}
    assert "pool" in names and "in_float" not in told["variants"]["float16"]
    exact = told["variants"]["float32"]
    assert exact["largest_logit_difference"]["float"] < 1e-3
    assert told["variants"]["full_integer"]["largest_logit_difference"]["float"] > 1e-3
    sizes = {name: of["bytes"] for name, of in told["variants"].items()}
    assert sizes["full_integer"] < sizes["float16"] < sizes["float32"]


def test_training_leaves_its_ranges_and_no_checkpoints(exported, trained) -> None:
    assert list((trained.folder / "logs" / "quantized").glob("events.*"))
    assert not (trained.folder / "cache" / "quantized").exists()
    content = [(exported.folder / f"model-{of}.tflite").read_bytes() for of in VARIANTS[-2:]]
    assert content[0] != content[1]


def test_whole_integers_compute_every_product(exported) -> None:
    variants = json.loads((exported.folder / "certificate.json").read_text())["variants"]
    products = ("CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED")
    found = [of for of in variants["full_integer"]["operators"] if of["operator"] in products]
    assert found and all(of["precision"] == of["weights"] == "int8" for of in found)
    names = {of["operator"] for name in VARIANTS for of in variants[name]["operators"]}
    assert not any(name.startswith(("Flex", "CUSTOM")) for name in names)


def test_the_program_runs_alone(exported, shop) -> None:
    picture = shop.parent / "pictures" / "0.jpg"
    program = (
        "import runpy, sys\n"
        "sys.argv[1:] = sys.argv[2:]\n"
        "try: runpy.run_module('serving.edge', run_name='__main__', alter_sys=True)\n"
        "except SystemExit as error: code = error.code\n"
        "import serving.edge\n"
        "heavy = {'tensorflow', 'keras', 'trainer', 'pandas', 'scipy'} & set(sys.modules)\n"
        "print(code, serving.edge.__file__, sorted(heavy))\n"
    )
    asked = ["--picture", str(picture), "--text", "desk lamp light bulb"]
    done = subprocess.run(
        [sys.executable, "-c", program, "--", *asked],
        cwd=exported.folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    answer, told = done.stdout.strip().splitlines()
    found = json.loads(answer)
    assert found["label"] == "home > lamps"
    assert found["status"] == "ok" and sum(found["scores"].values()) <= 1.00001
    code, file, heavy = told.split(" ", 2)
    assert (code, heavy) == ("0", "[]")
    assert Path(file).is_relative_to(exported.folder)


def test_one_broken_picture_does_not_end_the_folder(exported, shop, tmp_path, capfd) -> None:
    from serving.edge.__main__ import main

    (tmp_path / "a.jpg").write_bytes((shop.parent / "pictures" / "0.jpg").read_bytes())
    (tmp_path / "b.jpg").write_bytes(b"no picture")
    (tmp_path / "c.png").write_bytes((shop.parent / "pictures" / "1.png").read_bytes())
    assert main(["--model", str(exported.folder), "--pictures", str(tmp_path)]) == 1
    told = [json.loads(line) for line in capfd.readouterr().out.splitlines()]
    assert [of["id"] for of in told] == ["a.jpg", "b.jpg", "c.png"]
    assert [of["status"] == "ok" for of in told] == [True, False, True]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "Nothing to classify"),
        (["--value", "prize=3"], "Unknown input"),
        (["--variant", "int4", "--text", "lamp"], "Unknown variant"),
        (["--picture", "nowhere.jpg"], "nowhere.jpg"),
    ],
)
def test_wrong_calls_say_what_to_do(exported, capfd, arguments, message) -> None:
    from serving.edge.__main__ import main

    assert main(["--model", str(exported.folder), *arguments]) == 2
    assert message in capfd.readouterr().err


def test_a_file_that_was_changed_is_refused(exported, tmp_path) -> None:
    for name in ("edge.json", "model-dynamic_range.tflite"):
        (tmp_path / name).write_bytes((exported.folder / name).read_bytes())
    path = tmp_path / "model-dynamic_range.tflite"
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    with pytest.raises(ValueError, match="not the file that was exported"):
        Classifier(tmp_path)
    path.unlink()
    with pytest.raises(FileNotFoundError, match="Export it again"):
        Classifier(tmp_path)
    with pytest.raises(FileNotFoundError, match=r"edge.json is missing"):
        Classifier(tmp_path / "nowhere")


def test_below_the_thresholds_nothing_is_written(trained, shop, tmp_path, monkeypatch) -> None:
    from trainer import edge_export
    from trainer.certificate import Thresholds

    table, out = read_table(shop), tmp_path / "edge"
    real = edge_export.compare

    def disagreeing(*args, **kwargs):
        found = real(*args, **kwargs)
        return {**found, "agreement": {**found["agreement"], "float": 0.9}}

    monkeypatch.setattr(edge_export, "compare", disagreeing)
    with pytest.raises(ValueError, match=r"Nothing was written: float32 answers 0.900 .*--accept"):
        edge_export.export_for_devices(trained.folder, table, out, {"float32": {}}, num_rows=8)
    assert not out.exists() and not list(tmp_path.iterdir())
    edge_export.export_for_devices(
        trained.folder, table, out, {"float32": {}}, num_rows=8, thresholds=Thresholds(0.8)
    )
    assert (out / "edge.json").is_file()


def test_what_the_network_has_not_learned_from_is_compared(trained, shop, call, tmp_path) -> None:
    frame = pd.read_csv(shop)
    frame["title"] = [
        f"{title} new" if row % 2 else title for row, title in enumerate(frame["title"])
    ]
    frame.to_csv(shop.parent / "half_new.csv", index=False)
    done = call(
        "export", "--model", trained.folder, "--out", tmp_path / "o", "--format", "tflite",
        "--data", shop.parent / "half_new.csv",
    )  # fmt: skip
    (shop.parent / "half_new.csv").unlink()
    assert done.code == 0 and "learned from" not in done.stderr, done.stderr
    assert json.loads((tmp_path / "o" / "certificate.json").read_text())["num_learned_from"] == 0


def test_an_open_batch_takes_several_products(trained, call, products, tmp_path) -> None:
    done = call(
        "export", "--model", trained.folder, "--out", tmp_path / "o", "--format", "tflite",
        "--quantize", "full_integer", "--open-batch",
    )  # fmt: skip
    assert done.code == 0, done.stderr
    classifier = Classifier(tmp_path / "o")
    one_by_one = np.array([of.scores for of in classifier.answer_all(products[:3])])
    content = (tmp_path / "o" / "model-full_integer.tflite").read_bytes()
    run = Interpreter(model_content=content).get_signature_runner("serving_default")
    raw = [classifier.reader.read(of).values for of in products[:3]]
    together = run(**classifier.reader.preprocess(raw))["scores"]
    np.testing.assert_allclose(together, one_by_one, atol=1e-5)


def test_a_refused_training_leaves_nothing(trained, shop, call, tmp_path) -> None:
    done = call(
        "export", "--model", trained.folder, "--out", tmp_path / "o", "--format", "tflite",
        "--quantize", "qat_int8", "--set", "qat_int8.learning_rate=10",
    )  # fmt: skip
    assert done.code == 2 and "Nothing was written: qat_int8" in done.stderr, done.stderr
    assert not (trained.folder / "cache" / "quantized").exists()
    assert not list(tmp_path.iterdir())


def test_wrong_exports_say_what_to_do(trained, shop, call, tmp_path) -> None:
    def export(model: object, *more: str):
        return call(
            "export", "--model", model, "--format", "tflite", "--out", tmp_path / "o", *more
        )

    unknown = export(trained.folder, "--quantize", "int4")
    assert unknown.code == 2 and "Unknown quantizer" in unknown.stderr
    for setting, message in (
        ("full_integer.epochs=3", "Unknown name in 'full_integer.epochs=3'"),
        ("epochs=3", "must look like NAME.option=VALUE"),
        ("qat_int8.epochs=0", "`epochs` must be at least 1"),
        ("qat_int8.epoch=3", "epoch"),
    ):
        wrong = export(trained.folder, "--quantize", "qat_int8", "--set", setting)
        assert wrong.code == 2 and message in wrong.stderr, wrong.stderr
    for more, message in (
        (["--rows", "-5"], "At least 2 rows must be drawn. Received: -5"),
        (["--min-agreement", "97"], "`agreement` must be from 0 to 1"),
    ):
        wrong = export(trained.folder, *more)
        assert wrong.code == 2 and message in wrong.stderr, wrong.stderr
    (tmp_path / "o").touch()
    taken = export(trained.folder)
    assert taken.code == 2 and "--out must be a folder" in taken.stderr
    (tmp_path / "o").unlink()
    alone = export(find_export(trained.folder), "--data", str(shop))
    assert alone.code != 0 and "Give the workdir" in alone.stderr
    (tmp_path / "o").mkdir()
    (tmp_path / "o" / "mine.txt").touch()
    full = export(trained.folder)
    assert full.code == 2 and "would replace" in full.stderr
    assert (tmp_path / "o" / "mine.txt").exists()


@pytest.mark.parametrize(
    ("broken", "message"),
    [
        ("model.keras", "model.keras cannot be read: train again"),
        ("preprocessing.json", "preprocessing.json cannot be read: train again"),
        ("branches", "its preprocessing does not make"),
        ("missing", "No model.keras in"),
        ("nan", "hold NaN or infinity: .*kernel"),
    ],
)
def test_a_broken_model_is_named_and_leaves_nothing(trained, shop, tmp_path, broken, message):
    from trainer.edge_export import export_for_devices

    folder, out = tmp_path / "run", tmp_path / "edge"
    shutil.copytree(trained.folder, folder, ignore=shutil.ignore_patterns("cache"))
    state = folder / "preprocessing.json"
    if broken == "branches":
        told = json.loads(state.read_text())
        state.write_text(json.dumps({**told, "branches": told["branches"][1:]}))
    elif broken == "nan":
        network = keras.saving.load_model(folder / "model.keras", compile=False)
        kernel = next(of for of in network.weights if of.path.endswith("kernel"))
        kernel.assign(np.full(kernel.shape, np.nan))
        network.save(folder / "model.keras")
    elif broken == "missing":
        (folder / "model.keras").unlink()
    else:
        (folder / broken).write_bytes((folder / broken).read_bytes()[:500])
    error = FileNotFoundError if broken == "missing" else ValueError
    with pytest.raises(error, match=message):
        export_for_devices(folder, read_table(shop), out, {"full_integer": {}}, num_rows=8)
    assert [path.name for path in tmp_path.iterdir()] == ["run"]

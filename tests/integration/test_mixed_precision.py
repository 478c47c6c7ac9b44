"""Mixed precision from the command line."""

from __future__ import annotations

import json

import pytest


@pytest.fixture(scope="module")
def export(trained, call, tmp_path_factory):
    """Returns a function that exports the shop's model for devices."""
    folder = tmp_path_factory.mktemp("mixed")

    def run(*more: str, out: str = "out", quantize: str = "full_integer"):
        return call(
            "export", "--model", trained.folder, "--out", folder / out, "--format", "tflite",
            "--quantize", quantize, *more, folder=folder / out,
        )  # fmt: skip

    return run


def test_a_file_of_a_given_size_keeps_to_it(export) -> None:
    done = export("--max-size", "60%")
    assert done.code == 0, done.stderr
    told = json.loads((done.folder / "sensitivity.json").read_text())
    certificate = json.loads((done.folder / "certificate.json").read_text())
    found = certificate["variants"]["full_integer"]
    in_float = [of["name"] for of in told["blocks"] if of["in_float"]]
    assert 0 < len(in_float) < len(told["blocks"])
    assert told["whole"]["weight_bytes"] < told["mixed"]["weight_bytes"]
    assert told["mixed"]["logit_error"] < told["whole"]["logit_error"]
    assert told["num_rows"] == certificate["num_calibrated"]
    float_bytes = 4 * sum(of["num_weights"] for of in told["blocks"])
    assert told["mixed"]["weight_bytes"] < found["bytes"] < 0.6 * float_bytes * 1.1
    products = ("CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED")
    kinds = {of["weights"] for of in found["operators"] if of["operator"] in products}
    # All small kernels fit; the large tables do not.
    assert kinds == {"float32"}
    assert "text_ngram_vectors" not in in_float
    page = (done.folder / "sensitivity.html").read_text(encoding="utf-8")
    assert all(name in page for name in in_float)

    again = export("--keep-float", told["keep_float"], out="again")
    assert again.code == 0, again.stderr
    told = json.loads((again.folder / "certificate.json").read_text())
    assert told["variants"]["full_integer"]["sha256"] == found["sha256"]
    assert not (again.folder / "sensitivity.json").exists()


def test_what_needs_nothing_in_float_is_only_measured(export) -> None:
    done = export("--max-loss", "1", out="measured", quantize="dynamic_range,full_integer")
    assert done.code == 0, done.stderr
    told = json.loads((done.folder / "sensitivity.json").read_text())
    assert told["keep_float"] == "" and not any(of["in_float"] for of in told["blocks"])
    assert all(of["logit_error"] > 0 for of in told["blocks"])
    assert (done.folder / "sensitivity.html").is_file()


@pytest.mark.parametrize(
    ("more", "quantize", "message"),
    [
        (("--sensitivity",), "dynamic_range", "Add full_integer to --quantize"),
        (("--keep-float", "fused.*"), "float16,float32", "Add full_integer to --quantize"),
        (("--keep-float", "no such layer"), "full_integer", "the whole path of a layer"),
        (("--max-loss", "-1"), "full_integer", "`max_loss` must be from 0 to 1"),
        (("--max-size", "small"), "full_integer", "`max_size` must be a number"),
        (("--max-size", "1%"), "full_integer", "Raise --max-size"),
    ],
)
def test_wrong_calls_say_what_to_do(export, more, quantize, message) -> None:
    done = export(*more, out="wrong", quantize=quantize)
    assert done.code != 0 and message in done.stderr
    assert not done.folder.exists()

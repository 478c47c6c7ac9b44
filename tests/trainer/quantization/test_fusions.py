"""Each registered fusion on a device; a new file in trainer/fusion is tested unasked."""

import keras
import numpy as np
import pytest

from trainer.certificate import DeviceNetwork
from trainer.device_graph import convert
from trainer.registry import FUSIONS, QUANTIZERS

WIDTHS = {"image": 12, "price": 4, "text": 9}
OPTIONS = {
    "gated": {"projection_dim": 8},
    "cross_attention": {"projection_dim": 8, "num_heads": 2},
}


@pytest.mark.parametrize("name", FUSIONS.names())
def test_a_quantized_fusion_answers_alike_on_a_device(name: str) -> None:
    keras.utils.set_random_seed(0)
    rng = np.random.default_rng(0)
    embeddings = {of: keras.Input((width,), name=of) for of, width in WIDTHS.items()}
    presents = {of: keras.Input((), dtype="bool", name=f"{of}_present") for of in WIDTHS}
    fusion = FUSIONS.make(name, OPTIONS.get(name, {}), name="fusion")
    logits = keras.layers.Dense(3, name="head")(fusion(embeddings, presents))
    inputs = {of.name: of for of in (*embeddings.values(), *presents.values())}
    network = keras.Model(inputs, {"logits": logits})
    rows = {of: rng.normal(size=(16, width)).astype(np.float32) for of, width in WIDTHS.items()}
    rows |= {f"{of}_present": rng.uniform(size=16) < 0.7 for of in WIDTHS}
    expected = network(rows)["logits"].numpy()
    quantizer = QUANTIZERS.make("full_integer", {})
    quantizer.prepare(network, [rows])
    prepared = network(rows)["logits"].numpy()
    device = DeviceNetwork(convert(network, quantizer))
    found = np.array(
        [device({of: value[at : at + 1] for of, value in rows.items()}) for at in range(16)]
    )
    spread = np.ptp(expected)
    assert 0 < np.abs(prepared - expected).max() < 0.06 * spread
    assert np.abs(found - prepared).max() < 0.04 * spread
    products = ("CONV_2D", "FULLY_CONNECTED", "BATCH_MATMUL")
    counted = [of for of in device.count_operators() if of["operator"] in products]
    assert counted and all(of["precision"] == of["weights"] == "int8" for of in counted)


def test_votes_side_by_side_keep_their_ranges() -> None:
    """A device has what is laid side by side on one grid: that of the widest."""
    keras.utils.set_random_seed(0)
    rng = np.random.default_rng(0)
    read = keras.Input((8,), name="x")
    heads = [keras.layers.Dense(3, name=f"{name}_vote") for name in ("narrow", "wide", "middle")]
    narrow, wide, middle = (head(read) for head in heads)
    own = keras.ops.stack([narrow, middle], axis=1)
    votes = keras.ops.concatenate([own, keras.ops.stack([wide], axis=1)], axis=1)
    network = keras.Model({"x": read}, {"logits": votes})
    for head, scale in zip(heads, (0.1, 10.0, 1.0), strict=True):
        head.kernel.assign(rng.normal(0, scale, (8, 3)))
    rows = rng.normal(size=(16, 8)).astype(np.float32)
    expected = network({"x": rows})["logits"].numpy()
    quantizer = QUANTIZERS.make("full_integer", {})
    quantizer.prepare(network, [{"x": rows}])
    prepared = network({"x": rows})["logits"].numpy()
    device = DeviceNetwork(convert(network, quantizer))
    found = np.array([device({"x": row[None]}) for row in rows])
    step = np.ptp([0.0, expected.min(), expected.max()]) / 255
    # None is cut off at the range of another.
    assert np.abs(found - prepared).max() < 1.01 * step
    assert np.abs(found - expected).max() < 2 * step

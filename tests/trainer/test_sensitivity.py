"""The cost of each block, beside rounding by hand."""

import keras
import numpy as np
import pytest

from trainer.sensitivity import Probe

layers = keras.layers
ROWS = np.random.default_rng(0).normal(size=(40, 6)).astype(np.float32)


def build() -> keras.Model:
    keras.utils.set_random_seed(1)
    read = keras.Input((6,), name="x")
    logits = layers.Dense(4, name="last")(layers.Dense(8, name="first")(read))
    return keras.Model({"x": read}, {"logits": logits})


def split(rows: np.ndarray) -> list[dict[str, np.ndarray]]:
    return [{"x": rows[:16]}, {"x": rows[16:]}]


def round_values(values: np.ndarray, seen: np.ndarray) -> np.ndarray:
    """255 steps from the smallest to the largest seen, shifted so that zero is on one."""
    low, high = min(seen.min(), 0), max(seen.max(), 0)
    step = (high - low) / 255
    low = -np.round(-low / step) * step
    return np.round((np.clip(values, low, low + 255 * step) - low) / step) * step + low


def round_kernel(kernel: np.ndarray) -> np.ndarray:
    step = np.abs(kernel).max(axis=0) / 127
    return np.round(kernel / step) * step


def test_one_block_alone_costs_what_rounding_it_by_hand_costs() -> None:
    model = build()
    first, last = ([of.numpy() for of in model.get_layer(n).weights] for n in ("first", "last"))
    hidden = ROWS @ first[0] + first[1]
    expected = hidden @ last[0] + last[1]
    first_alone = round_values(ROWS, ROWS) @ round_kernel(first[0]) + first[1]
    last_alone = round_values(hidden, hidden) @ round_kernel(last[0]) + last[1]
    rounded = {
        "first": round_values(first_alone, hidden) @ last[0] + last[1],
        "last": round_values(last_alone, expected),
    }
    class_ids = np.where(np.arange(40) % 4 == 0, -1, np.arange(40) % 3)
    labelled = class_ids >= 0
    probe = Probe(model, split(ROWS), class_ids)
    assert (probe.num_rows, probe.num_labelled) == (40, 30)
    right = expected.argmax(axis=1) == class_ids
    assert probe.float_accuracy == pytest.approx(right[labelled].mean())
    found = {block.name: cost for block, cost in probe.measure_each()}
    assert set(found) == {"first", "last"}
    for name, logits in rounded.items():
        error = np.sqrt(np.mean((logits - expected) ** 2))
        # A float that falls between two steps may go to the other.
        assert found[name].logit_error == pytest.approx(error, rel=0.03)
        answers = logits.argmax(axis=1)
        assert found[name].agreement == np.mean(answers == expected.argmax(axis=1))
        lost = right[labelled].mean() - np.mean((answers == class_ids)[labelled])
        assert found[name].accuracy_loss == pytest.approx(lost)


def test_nothing_quantized_costs_nothing() -> None:
    probe = Probe(build(), split(ROWS), np.full(40, -1))
    probe.measure(probe.blocks)
    found = probe.measure([])
    assert (found.agreement, found.accuracy_loss, found.logit_error) == (1.0, None, 0.0)
    assert found.loss == 0


def test_errors_of_blocks_add_up_as_squares() -> None:
    probe = Probe(build(), split(ROWS), np.full(40, -1))
    alone = [cost.logit_error for _, cost in probe.measure_each()]
    whole = probe.measure(probe.blocks).logit_error
    assert whole == pytest.approx(np.sqrt(np.sum(np.square(alone))), rel=0.2)


class Counting(layers.Layer):
    calls = 0

    def call(self, inputs):
        self.calls += 1
        return inputs + 0.0


def test_only_the_encoder_with_the_quantized_block_runs_again() -> None:
    keras.utils.set_random_seed(2)
    inputs, embeddings, counters = {}, [], {}
    for name in ("image", "text"):
        inputs[name] = keras.Input((6,), name=name)
        read = keras.Input((6,))
        counters[name] = Counting()
        encoded = layers.Dense(5, name=f"{name}_dense")(counters[name](read))
        embeddings.append(keras.Model(read, encoded, name=f"{name}_encoder")(inputs[name]))
    logits = layers.Dense(3, name="head")(layers.Concatenate()(embeddings))
    model = keras.Model(inputs, {"logits": logits})
    batch = {"image": ROWS, "text": ROWS[::-1]}
    expected = model(batch)["logits"].numpy()
    probe = Probe(model, [batch], np.full(40, -1), keep_float="counting.*")
    before = {name: of.calls for name, of in counters.items()}
    found = {block.name: cost for block, cost in probe.measure_each()}
    after = {name: of.calls - before[name] for name, of in counters.items()}
    assert after == {"image": 1, "text": 1}
    # What was remembered is what the network returns.
    for block in probe.blocks:
        probe.quantize([block])
        error = np.sqrt(np.mean((model(batch)["logits"].numpy() - expected) ** 2))
        assert found[block.name].logit_error == pytest.approx(error, rel=1e-4)
        assert error > 0

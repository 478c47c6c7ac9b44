"""What stays in float, and whether the file keeps what was asked for."""

from collections import Counter
from types import SimpleNamespace
from typing import Any

import keras
import numpy as np
import pytest

from trainer.certificate import DeviceNetwork
from trainer.device_graph import convert
from trainer.mixed_precision import (
    Budget,
    choose_by_bytes,
    choose_by_loss,
    extra_bytes,
    find_precision,
    rank_blocks,
)
from trainer.registry import QUANTIZERS
from trainer.sensitivity import Cost

layers = keras.layers
WIDTH = 48
ROWS = np.random.default_rng(0).normal(size=(64, WIDTH)).astype(np.float32)


def build() -> keras.Model:
    """Returns a network of which one layer in the middle does not bear rounding."""
    keras.utils.set_random_seed(1)
    read = keras.Input((WIDTH,), name="x")
    x = layers.Dense(WIDTH, name="first")(read)
    x = layers.Dense(WIDTH, name="spoilt")(x)
    logits = layers.Dense(4, name="last")(layers.Dense(WIDTH, "relu", name="third")(x))
    model = keras.Model({"x": read}, {"logits": logits})
    first, spoilt = (model.get_layer(name).kernel for name in ("first", "spoilt"))
    # Huge weights, of which all that they are multiplied with is zero.
    first.assign(first.numpy() * (np.arange(WIDTH) > 0))
    spoilt.assign(np.concatenate([np.full((1, WIDTH), 1e4), spoilt.numpy()[1:]]))
    return model


def answers(model: keras.Model) -> np.ndarray:
    return model({"x": ROWS})["logits"].numpy().argmax(axis=1)


def decide(budget: Budget, **options: Any) -> dict[str, Any]:
    model = build()
    quantizer = QUANTIZERS.make("full_integer", {})
    return find_precision(model, [{"x": ROWS}], answers(model), quantizer, budget, **options)


def make_file(keep_float: str = "") -> DeviceNetwork:
    model = build()
    quantizer = QUANTIZERS.make("full_integer", {"keep_float": keep_float})
    quantizer.prepare(model, [{"x": ROWS}])
    return DeviceNetwork(convert(model, quantizer))


def measure(device: DeviceNetwork) -> float:
    found = np.array([device({"x": row[None]}) for row in ROWS]).argmax(axis=1)
    return float(np.mean(found == answers(build())))


def test_one_bad_layer_is_found_and_left_in_float() -> None:
    found = decide(Budget(max_loss=0.05))
    assert found["blocks"][0]["name"] == "spoilt"
    assert [of["in_float"] for of in found["blocks"]] == [True, False, False, False]
    assert found["keep_float"] == "spoilt"
    assert found["whole"]["accuracy_loss"] > 0.3 and found["mixed"]["accuracy_loss"] <= 0.05
    assert found["mixed"]["weight_bytes"] - found["whole"]["weight_bytes"] == 3 * WIDTH**2
    device = make_file(found["keep_float"])
    assert measure(make_file()) < 0.7 and measure(device) >= 0.95
    # The float layer is one, between three of integers.
    kinds: Counter[tuple[str, str]] = Counter()
    for of in device.count_operators():
        if of["operator"] in ("CONV_2D", "FULLY_CONNECTED"):
            kinds[of["precision"], of["weights"]] += of["count"]
    assert kinds == {("float32", "float32"): 1, ("int8", "int8"): 3}


def test_an_open_budget_only_measures() -> None:
    found = decide(Budget())
    assert found["keep_float"] == "" and found["mixed"] == found["whole"]
    assert (found["num_rows"], found["num_labelled"], found["float_accuracy"]) == (64, 64, 1.0)


def test_what_stays_in_float_anyway_is_not_measured() -> None:
    found = decide(Budget(max_loss=0.05), keep_float="spoilt|first")
    assert {of["name"] for of in found["blocks"]} == {"third", "last"}
    assert found["keep_float"] == "(?:spoilt|first)"


def test_a_file_of_a_given_size_has_the_best_blocks_in_float() -> None:
    whole = len(make_file().content)
    found = decide(Budget(max_size=str(whole + 9000)))
    device = make_file(found["keep_float"])
    assert whole < len(device.content) <= whole + 9000
    assert found["blocks"][0]["in_float"] and found["blocks"][0]["name"] == "spoilt"
    assert measure(device) >= 0.95


def test_impossible_budgets_say_what_to_do() -> None:
    with pytest.raises(ValueError, match=r"every block quantized the file has .* --max-size"):
        decide(Budget(max_size="100"))
    with pytest.raises(ValueError, match=r"With a loss of at most 0.05 the file .* --max-loss or"):
        decide(Budget(max_loss=0.05, max_size="100"))


def block(name: str, num_weights: int) -> Any:
    return SimpleNamespace(name=name, num_weights=num_weights)


def test_blocks_are_ranked_by_squared_error_per_byte() -> None:
    errors = {"small": (0.1, 10), "large": (0.2, 100), "harmless": (0.01, 1), "free": (0.001, 0)}
    alone = [(block(name, size), Cost(1, None, error)) for name, (error, size) in errors.items()]
    assert extra_bytes(alone[0][0]) == 30
    # 0.01 / 30, 0.04 / 300, 0.0001 / 3 and, as if it were one byte, 0.000001.
    assert [of.name for of in rank_blocks(alone)] == ["small", "large", "harmless", "free"]


@pytest.mark.parametrize("needed", [1, 2, 3, 6])
def test_the_fewest_blocks_are_left_in_float(needed: int) -> None:
    ranked = [block(str(number), 1) for number in range(8)]
    tried = []

    class Canned:
        def measure(self, blocks: Any) -> Cost:
            tried.append(len(blocks))
            return Cost(1, 0.0 if 8 - len(blocks) >= needed else 0.1, 0)

    assert choose_by_loss(Canned(), ranked, 0.05) == ranked[:needed]
    # Measured as a whole, and so was what has one block less.
    assert 8 - needed in tried and (needed == 1 or 9 - needed in tried)
    assert len(tried) <= 3


def test_where_nothing_may_be_quantized_another_quantizer_is_named() -> None:
    canned = SimpleNamespace(measure=lambda blocks: Cost(0.5, None, 1))
    with pytest.raises(ValueError, match=r"at most 0.05. Raise --max-loss, .* float16"):
        choose_by_loss(canned, [block("a", 1), block("b", 1)], 0.05)


def test_what_does_not_fit_makes_room_for_the_next() -> None:
    ranked = [block("a", 10), block("b", 1000), block("c", 20), block("d", 20)]

    def find_bytes(in_float: Any) -> int:
        # Each block in float takes 15 bytes more than its weights.
        return 500 + sum(extra_bytes(of) + 15 for of in in_float)

    def choose(max_bytes: int) -> list[str]:
        return [of.name for of in choose_by_bytes(ranked, max_bytes, find_bytes)]

    assert choose(500) == []
    assert choose(544) == [] and choose(545) == ["a"]
    assert choose(619) == ["a"] and choose(620) == ["a", "c"]
    assert choose(500 + 3 * 1050 + 4 * 15) == ["a", "b", "c", "d"]


def test_what_small_blocks_need_does_not_drive_out_a_better_one() -> None:
    ranked = [block("best", 1000), block("small", 10)]

    def find_bytes(in_float: Any) -> int:
        return sum(extra_bytes(of) + 100 for of in in_float)

    def choose(max_bytes: int) -> list[str]:
        return [of.name for of in choose_by_bytes(ranked, max_bytes, find_bytes)]

    assert choose(3105) == ["best"] and choose(3230) == ["best", "small"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", None),
        ("1500", 1500),
        ("2.5kb", 2500),
        ("60 MB", 60_000_000),
        ("1G", 10**9),
        ("40%", 80),
    ],
)
def test_sizes_have_units(text: str, expected: int | None) -> None:
    assert Budget(max_size=text).find_bytes(200) == expected


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"max_loss": 1.5}, "`max_loss` must be from 0 to 1"),
        ({"max_size": "much"}, "a number of bytes, or one with KB"),
        ({"max_size": "-3MB"}, "Received: max_size='-3MB'"),
    ],
)
def test_wrong_budgets_say_the_rule(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Budget(**options)

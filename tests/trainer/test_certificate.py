import numpy as np
import pytest

from trainer.certificate import Thresholds, compare, find_breaches, measure_latency


class Canned:
    """Answers with given logits, one row after the other."""

    content = b"network"

    def __init__(self, logits: np.ndarray) -> None:
        self.logits = iter(logits)

    def __call__(self, _: object) -> np.ndarray:
        return next(self.logits)

    def count_operators(self) -> list[dict[str, object]]:
        return []


def logits(*answers: int) -> np.ndarray:
    return 2 * np.eye(3)[list(answers)]


def test_figures_are_shares_of_rows() -> None:
    found = compare(
        Canned(logits(0, 1, 2, 2) + 0.25),
        [{}] * 4,
        logits(0, 1, 1, 2),
        logits(0, 1, 2, 2),
        np.array([0, 1, 1, -1]),
    )
    assert found["agreement"] == {"float": 0.75, "prepared": 1.0}
    assert found["largest_logit_difference"] == {"float": 2.25, "prepared": 0.25}
    # The last row has no label.
    assert found["accuracy"] == {"float": 1.0, "prepared": 2 / 3, "device": 2 / 3}
    assert found["num_rows"] == 4 and found["num_labelled"] == 3
    assert found["bytes"] == 7


def test_without_labels_there_is_no_accuracy() -> None:
    same = logits(0, 1)
    found = compare(Canned(same), [{}, {}], same, same, np.array([-1, -1]))
    assert found["accuracy"] is None
    assert find_breaches(found, Thresholds()) == []


@pytest.mark.parametrize(
    ("agreement", "device", "words"),
    [(0.96, 0.9, ["0.960 of the rows"]), (0.99, 0.87, ["loses 0.030"]), (0.99, 0.89, [])],
)
def test_what_is_not_kept_is_told(agreement: float, device: float, words: list[str]) -> None:
    found = {
        "num_rows": 100,
        "num_answered": 100,
        "agreement": {"float": agreement, "prepared": 1.0},
        "accuracy": {"float": 0.9, "device": device},
    }
    breaches = find_breaches(found, Thresholds())
    assert len(breaches) == len(words)
    assert all(word in breach for word, breach in zip(words, breaches, strict=True))


def test_thresholds_are_shares() -> None:
    with pytest.raises(ValueError, match="`agreement` must be from 0 to 1"):
        Thresholds(agreement=97)


def test_latencies_are_of_each_file() -> None:
    devices = {name: Canned(np.zeros((9, 3))) for name in ("a", "b")}
    found = measure_latency(devices, [{}] * 4)
    assert set(found) == {"a", "b"} and all(of >= 0 for of in found.values())
    # One to warm up, then the rows.
    assert all(len(list(device.logits)) == 4 for device in devices.values())


def test_rows_without_an_answer_are_told() -> None:
    device = logits(0, 1, 2)
    device[1, 2] = np.nan
    found = compare(Canned(device), [{}] * 3, *[logits(0, 2, 2)] * 2, np.array([0, 2, 2]))
    # The largest of logits with NaN among them is NaN's.
    assert found["num_answered"] == 2
    assert found["agreement"]["float"] == pytest.approx(2 / 3)
    assert found["largest_logit_difference"]["float"] == 0
    first, *others = find_breaches(found, Thresholds(0.5))
    assert first == "answers 1 of 3 rows with NaN or infinity" and len(others) == 0


def test_a_file_must_answer_as_what_it_was_made_of() -> None:
    found = compare(Canned(logits(0, 1)), [{}] * 2, logits(0, 1), logits(1, 0), np.array([-1, -1]))
    (breach,) = find_breaches(found, Thresholds())
    assert "0.000 of the rows like the network with rounded values" in breach

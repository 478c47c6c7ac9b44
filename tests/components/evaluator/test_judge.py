"""Why a model is refused, from right and wrong answers that are drawn."""

import numpy as np
import pytest
from scipy.stats import binom, binomtest

from components.evaluator.component import Parameters
from components.evaluator.judge import (
    chance_of_loss,
    error_by_chance,
    find_compared,
    find_reasons,
    find_reasons_of_refit,
    find_reasons_uncompared,
)
from components.evaluator.measured import Measured

LABELS = [f"class {row % 4}" for row in range(120)]


def measured(right, robust=None, calibration_error=0.02, seen=None, sure=0.9):
    right = np.asarray(right, bool)
    metrics = {
        "accuracy": float(right.mean()),
        "expected_calibration_error": calibration_error,
    }
    robust = right[:64] if robust is None else np.asarray(robust, bool)
    confidence = np.full(len(right), sure)
    return Measured(
        metrics, right, confidence, robust, np.zeros(len(right), bool) if seen is None else seen
    )


def draw(share, seed=0, rows=120):
    return np.random.default_rng(seed).random(rows) < share


GOOD = measured(draw(0.9))


def reasons(candidate, baseline=None, **asked):
    return find_reasons(candidate, baseline, LABELS, Parameters(**asked))


@pytest.mark.parametrize(("seed", "shares"), [(0, (0.9, 0.8)), (1, (0.5, 0.5)), (2, (0.1, 0.9))])
def test_chance_is_that_of_the_binomial_test(seed, shares):
    first, second = (draw(share, seed + at) for at, share in enumerate(shares))
    lost, gained = int((~first & second).sum()), int((first & ~second).sum())
    expected = binomtest(lost, lost + gained, 0.5, alternative="greater").pvalue
    assert chance_of_loss(first, second) == pytest.approx(expected)
    assert chance_of_loss(first, first) == 1


def test_few_rows_have_a_calibration_error_by_chance():
    # In one bin it is the mean deviation of a binomial share.
    share = binom(120, 0.9)
    expected = sum(share.pmf(right) * abs(right / 120 - 0.9) for right in range(121))
    assert error_by_chance(np.full(120, 0.9)) == pytest.approx(expected, rel=0.2)
    # One row in each of the bins: sure of 0.5 is 0.5 off whatever comes.
    assert error_by_chance(np.array([0.5])) == pytest.approx(0.5)


def test_a_good_model_is_blessed_alone_and_beside_its_equal():
    assert reasons(GOOD) == []
    assert reasons(GOOD, GOOD) == []
    assert reasons(measured(draw(0.9, 1)), GOOD) == []


def test_models_that_are_equally_good_are_rarely_refused():
    refused = sum(
        bool(reasons(measured(draw(0.9, 2 * at + 1)), measured(draw(0.9, 2 * at))))
        for at in range(200)
    )
    # Accuracy, four recalls together, robustness: each 0.05 at most.
    assert refused <= 0.15 * 200


def test_a_worse_model_is_refused():
    (told, *_) = reasons(measured(draw(0.6, 1)), GOOD)
    assert told.startswith("The accuracy fell from 0.")
    assert "on 120 rows" in told


def test_shuffled_labels_are_refused_with_nothing_beside():
    (told,) = reasons(measured(draw(0.2)))
    assert "is not above 0.250, that of always answering 'class 0'" in told


def test_a_lost_class_is_named():
    right = GOOD.right & (np.array(LABELS) != "class 2")
    told = reasons(measured(right, robust=GOOD.robust), GOOD)
    known = GOOD.right[2::4].sum()
    lost = f"The class 'class 2' is lost: of its 30 rows none is answered right, and {known} were."
    assert lost in told
    assert not any("'class 1'" in one for one in told)
    (alone,) = reasons(measured(right), min_class_recall=0.3)
    assert alone == "The recall of 'class 2' is 0.000 on 30 rows, below 0.300."


def test_a_fragile_model_is_refused():
    (told,) = reasons(measured(GOOD.right, robust=GOOD.robust & draw(0.6, 3, 64)), GOOD)
    assert told.startswith("The accuracy on corrupted products fell")


def test_only_products_that_were_corrupted_for_both_are_compared():
    nothing_to_corrupt = measured(GOOD.right, robust=[])
    fragile = measured(GOOD.right, robust=np.zeros(64, bool))
    assert reasons(fragile, nothing_to_corrupt) == []
    assert reasons(nothing_to_corrupt, GOOD) == []
    (told,) = reasons(fragile, measured(GOOD.right, robust=GOOD.robust[:40]))
    assert "to 0.000 on 40 rows" in told


def test_a_model_that_is_too_sure_is_refused():
    (told,) = reasons(measured(GOOD.right, calibration_error=0.3))
    assert told.startswith("The calibration error 0.300 is more than 0.150 above 0.0")
    (told,) = reasons(measured(GOOD.right, sure=0.6), GOOD)
    assert told.startswith("The calibration error rose from 0.0")
    # A little less sure on few rows: chance.
    few = np.arange(len(LABELS)) >= 90
    assert reasons(measured(GOOD.right, sure=0.82), measured(GOOD.right, seen=few)) == []


def test_rows_that_the_baseline_has_learned_from_do_not_count():
    everything = np.ones(len(LABELS), bool)
    half = np.arange(len(LABELS)) < 60
    (told, *_) = reasons(measured(draw(0.6, 1)), measured(everything, seen=half))
    assert "on 60 rows" in told


def test_a_model_that_cannot_be_compared_is_refused():
    everything = np.ones(len(LABELS), bool)
    perfect, worse = measured(everything, seen=everything), measured(draw(0.6, 1))
    assert not find_compared(worse, perfect).any()
    assert reasons(worse, perfect) == []
    (told,) = find_reasons_uncompared(0, Parameters())
    assert told.startswith("0 rows are too few to compare it with the model in use")
    few = measured(everything, seen=np.arange(len(LABELS)) >= 19)
    learned = measured(draw(0.6, 1), seen=np.arange(len(LABELS)) < 4)
    assert find_compared(learned, few).sum() == 15
    (told,) = find_reasons_uncompared(15, Parameters())
    for way_on in ("data.seed", "Evaluator.min_examples", "Evaluator.allow_uncompared=true"):
        assert way_on in told
    assert find_reasons_uncompared(20, Parameters()) == []
    assert find_reasons_uncompared(15, Parameters(min_examples=15)) == []
    assert find_reasons_uncompared(0, Parameters(allow_uncompared=True)) == []


def test_a_model_that_got_worse_by_training_again_is_refused():
    def of_refit(right):
        return find_reasons_of_refit(right, GOOD.right, LABELS, Parameters())

    assert of_refit(np.ones(len(LABELS), bool)) == []
    one_less = GOOD.right.copy()
    one_less[np.flatnonzero(one_less)[:2]] = False
    assert of_refit(one_less) == []
    (told, *_) = of_refit(draw(0.5, 1))
    assert told.startswith("Trained again on all rows, the model has got worse. The accuracy fell")
    told = of_refit(GOOD.right & (np.array(LABELS) != "class 2"))
    assert any("'class 2' is lost" in one for one in told)


def test_thresholds():
    assert reasons(GOOD, min_accuracy=0.99)[0].endswith("is below 0.990.")
    assert "rows are too few to judge by" in reasons(GOOD, min_examples=200)[0]
    with pytest.raises(ValueError, match="significance lies between 0 and 1"):
        Parameters(significance=0)
    with pytest.raises(ValueError, match="min_examples and class_rows are at least 1"):
        Parameters(class_rows=0)

from __future__ import annotations

from trainer.report import text_filters as filters


def test_numbers_are_written_for_readers():
    assert filters.percent(0.9583) == "95.8\u00a0%"
    assert filters.interval((0.91, 1)) == "91.0 to 100.0\u00a0%"
    assert filters.signed_points(0.1234) == "+12.3\u00a0points"
    assert filters.signed_points(-0.02) == "\u22122.0\u00a0points"
    assert filters.count(1234567) == "1,234,567"
    assert filters.short_number(0.000123456) == "0.0001235"
    assert filters.short_number(None) == "\u2013"


def test_durations_round_into_the_next_minute():
    assert filters.duration(1.24) == "1.2\u00a0s"
    assert filters.duration(59.6) == "1\u00a0min 0\u00a0s"
    assert filters.duration(125) == "2\u00a0min 5\u00a0s"


def test_cut_keeps_short_texts_and_marks_long_ones():
    assert filters.cut("lamp", 4) == "lamp"
    assert filters.cut("desk lamp", 6) == "desk…"


def test_lowest_f1_puts_larger_classes_first_among_equals():
    per_class = {
        "good": {"f1": 1.0, "support": 5},
        "small": {"f1": 0.0, "support": 1},
        "large": {"f1": 0.0, "support": 9},
    }
    assert [name for name, _ in filters.lowest_f1(per_class, 2)] == ["large", "small"]

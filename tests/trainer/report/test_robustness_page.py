import re

import pytest

from trainer.report.product_view import ProductView
from trainer.report.robustness_page import Case, write_robustness_page


def probe(group, name, shown, strength, accuracy):
    figures = {"accuracy": accuracy, "interval": [accuracy - 0.1, accuracy], "seconds": 1.5}
    return {"group": group, "name": name, "shown": shown, "strength": strength, **figures}


SUMMARY = {
    "num_rows": 40,
    "num_trained_on": 0,
    "clean": {"accuracy": 0.95},
    "together": {"Picture attacked in all ways, 4/255": {"accuracy": 0.1}},
    "probes": [
        probe("Attacked", "pgd", "8/255", 8, 0.2),
        probe("Attacked", "pgd", "1/255", 1, 0.8),
        probe("Attacked", "pgd", "4/255", 4, 0.4),
        probe("Corrupted", "noise", "severity 1", 1, 0.9),
        probe("Corrupted", "noise", "severity 2", 2, 0.7),
        probe("Corrupted", "blur", "severity 1", 1, 0.85),
        probe("Corrupted", "blur", "severity 2", 2, 0.65),
        probe("Absent", "text <b>", "", 0, 0.6),
    ],
    "honest": True,
    "checks": [{"name": "Slopes", "passed": True, "detail": "at all"}],
}


@pytest.fixture
def write(tmp_path):
    def run(**changes):
        case = Case(
            change="Attacked: pgd, 1/255",
            id="p7",
            true_label="lamps",
            answered="shirts",
            before=ProductView(text="desk lamp", details={"price": "5"}),
            after=ProductView(text="desk 1amp", details={"price": "5"}),
        )
        path = tmp_path / "page.html"
        write_robustness_page(
            path, title="Robustness: x", summary={**SUMMARY, **changes}, cases=[case]
        )
        return path.read_text()

    return run


def row(page, name):
    found = re.search(rf'<tr><th scope="row">{name}</th>(.*?)</tr>', page)
    return [cell.replace("\u00a0", " ") for cell in re.findall(r"<td[^>]*>(.*?)</td>", found[1])]


def test_strengths_that_all_have_are_columns(write):
    page = write()
    assert row(page, "noise") == ["90.0 %", "70.0 %"]
    assert row(page, "blur") == ["85.0 %", "65.0 %"]
    assert row(page, "pgd") == ["80.0 %", "40.0 %", "20.0 %"]
    assert row(page, "text &lt;b&gt;")[1] == "60.0 %"
    assert page.index("<h2>Attacked") < page.index("<h2>Corrupted") < page.index("<h2>Absent")


def test_cases_stand_side_by_side(write):
    page = write()
    assert page.index("desk lamp") < page.index("desk 1amp")
    assert "lamps" in page
    assert "shirts" in page


def test_a_failed_check_is_said_first(write):
    assert "Do not believe" not in write()
    failed = [{"name": "Slopes", "passed": False, "detail": "at none"}]
    page = write(honest=False, checks=failed)
    assert page.index("Do not believe") < page.index("Slopes")


def test_rows_that_were_learned_from_are_said(write):
    assert "has learned from" not in write()
    assert "has learned from 12 of these" in write(num_trained_on=12)


def test_nothing_to_draw_is_no_error(write):
    assert "<img" not in write(probes=[SUMMARY["probes"][-1]], checks=[])

"""What is asked, and what counts as a difference."""

import math

import pytest

from components.infra_validator.cases import Case, compare, encode, find_cases
from components.infra_validator.component import COMPONENT
from trainer.inputs import InputSpec

SPECS = (
    InputSpec("image_bytes", "image", ("picture",)),
    InputSpec("text", "text", ("title",)),
    InputSpec("price", "number", ("price",)),
)
ROWS = [{"image_bytes": b"\xff%d" % of, "text": "café".encode(), "price": of} for of in range(5)]
IDS = [f"p{of}" for of in range(5)]


def test_products_are_asked_in_batches_alone_and_beside_ugly_ones():
    cases = find_cases(SPECS, IDS, ROWS, 2)
    assert [case.name for case in cases] == [
        "products",
        "products",
        "products",
        "one product",
        "an empty product",
        "a broken picture as image_bytes",
    ]
    asked = [name for case in cases[:3] for name in case.ids]
    assert asked == IDS
    assert [len(case.rows) for case in cases] == [2, 2, 1, 1, 3, 3]
    empty, broken = cases[-2:]
    assert empty.rows[1]["image_bytes"] == empty.rows[1]["text"] == b""
    assert math.isnan(empty.rows[1]["price"])
    assert {name for name in ROWS[0] if broken.rows[1][name] != ROWS[0][name]} == {"image_bytes"}
    assert empty.troubled == broken.troubled == {1}
    assert [empty.rows[0], empty.rows[2]] == [ROWS[0], ROWS[-1]]


def test_products_are_written_as_clients_write_them():
    assert encode(ROWS[1], SPECS) == {
        "image_bytes": {"b64": "/zE="},
        "text": "café",
        "price": 1.0,
    }


def answer(label="a", status="ok", scores=(0.9, 0.1)):
    return {"label": label, "status": status, "scores": list(scores), "labels": ["a", "b"]}


@pytest.mark.parametrize(
    ("served", "told"),
    [
        (answer(label="b"), "has label 'b', not 'a'"),
        (answer(status="nothing to go by"), "has status 'nothing to go by', not 'ok'"),
        (answer(scores=(0.89, 0.11)), "has scores that differ by more than 0.0001"),
        (answer(scores=(math.nan, 0.1)), "has scores that differ by more than 0.0001"),
        (answer(scores=(0.9,)), "has scores that differ by more than 0.0001"),
        ({}, "has label None, not 'a'"),
    ],
)
def test_what_differs_is_told_by_product(served, told):
    case = Case("products", ["p0", "p1"], [{}, {}])
    direct = [answer(), answer()]
    wrong, _ = compare(case, [answer(), served], direct, 1e-4)
    assert f"products: 'p1' {told}" in wrong
    assert not any("'p0'" in of for of in wrong)


def test_what_is_the_same_is_not():
    case = Case("products", ["p0"], [{}])
    wrong, largest = compare(case, [answer(scores=(0.90005, 0.1))], [answer()], 1e-4)
    assert not wrong
    assert largest == pytest.approx(5e-5)
    assert compare(case, [answer()], [answer()], 0.0) == ([], 0.0)


def test_an_ugly_row_has_to_say_so():
    case = Case("an empty product", ["p0", "empty"], [{}, {}], frozenset({1}))
    wrong, _ = compare(case, [answer(), answer()], [answer(), answer()], 1e-4)
    assert wrong == [
        "an empty product: 'empty' has the status 'ok', as if nothing were wrong with it"
    ]
    told = answer(status="nothing to go by")
    assert compare(case, [answer(), told], [answer(), told], 1e-4)[0] == []


def test_rows_that_are_lost_are_told_of():
    case = Case("products", ["p0", "p1"], [{}, {}])
    assert compare(case, [answer()], [answer()] * 2, 1e-4) == (
        ["products: 2 sent, 1 answered"],
        math.inf,
    )


def test_parameters_are_checked():
    for values, told in (
        ({"products": 0}, "products above 0"),
        ({"requests": -1}, "requests above 0"),
        ({"p99_ms": -1.0}, "p99_ms of 0 or more"),
    ):
        with pytest.raises(ValueError, match=told):
            COMPONENT.make_parameters(values)

import json

import pytest

from trainer.data.rules import Rule
from trainer.data.taxonomy import Taxonomy, check_labels, read_taxonomy
from trainer.inputs import InputSpec

INPUTS = (
    InputSpec("image_bytes", "image", ("picture",)),
    InputSpec("text", "text", ("title", "description")),
    InputSpec("colour_2", "category", ("colour 2",)),
    InputSpec("price", "number", ("price",)),
)
WRIST, SMART = {"class": "Watches > Wrist"}, {"class": "Watches > Smart"}


@pytest.fixture
def read(tmp_path):
    """Returns a function that writes a file and reads it."""
    path = tmp_path / "taxonomy.json"

    def read(classes=(WRIST, SMART), rules=(), num_levels=2, **more):
        path.write_text(json.dumps({"classes": classes, "rules": rules, **more}))
        return read_taxonomy(path, INPUTS, num_levels)

    return read


def test_texts_of_a_class_are_its_name_synonyms_and_description(read):
    described = {**SMART, "synonyms": ["fitness tracker", " wearable "], "description": "Has apps."}
    taxonomy = read([WRIST, described])
    assert list(taxonomy.texts) == ["Watches > Smart", "Watches > Wrist"]
    assert taxonomy.texts["Watches > Wrist"] == ("Watches Wrist",)
    assert taxonomy.texts["Watches > Smart"] == (
        "Watches Smart",
        "fitness tracker",
        "wearable",
        "Has apps.",
    )


def test_a_taxonomy_of_names_alone_is_that_of_the_labels(read):
    assert read() == Taxonomy.of_labels(["Watches > Wrist", "Watches > Smart", "Watches > Wrist"])


def test_a_rule_is_read_for_each_test_and_asks_inputs(read):
    rules = [
        {"class": "Watches > Smart", "column": "price", "above": 20, "below": 900.5},
        {"class": "Watches", "column": "colour 2", "equals": ["Red", "Blue"]},
        {"class": "Watches", "column": "text", "lacks": ["wall clock"]},
    ]
    assert read(rules=rules).rules == (
        Rule("Watches > Smart", "price", "above", 20.0),
        Rule("Watches > Smart", "price", "below", 900.5),
        Rule("Watches", "colour_2", "equals", ("Red", "Blue")),
        Rule("Watches", "text", "lacks", ("wall clock",)),
    )


@pytest.mark.parametrize(
    ("classes", "message"),
    [
        ([WRIST, WRIST], "a class must be there once. Received: 'Watches > Wrist'"),
        ([{"class": "Watches"}], "path of 2 levels joined by ' > '. Received: 'Watches'"),
        ([{"class": "A >  > B"}], "path of 2 levels"),
        ([{"class": " > B"}], "path of 2 levels"),
        ([{"class": ""}], "`class` of a class must be a text"),
        ([{"name": "A > B"}], "Unknown key of a class.*Expected one of .*'class'"),
        (["A > B"], "a class must be an object. Received: 'A > B'"),
        ([{**WRIST, "synonyms": "watch"}], "`synonyms` of 'Watches > Wrist' must be a list"),
        ([{**WRIST, "synonyms": ["watch", 1]}], "must be texts"),
        (
            [{**WRIST, "description": ["watch"]}],
            "`description` of 'Watches > W.*be a text",
        ),
        ({"Watches": {}}, "`classes` of the file must be a list"),
    ],
)
def test_classes_that_do_not_fit_are_named(read, classes, message):
    with pytest.raises(ValueError, match=r"data\.taxonomy, .*taxonomy\.json: .*" + message):
        read(classes)


@pytest.mark.parametrize(
    ("rule", "message"),
    [
        ({"column": "price", "above": 1}, "`class` of a rule must be a text"),
        ({"class": "Watch", "column": "price", "above": 1}, "Did you mean 'Watches"),
        ({**WRIST, "column": "pryce", "above": 1}, "column of a rule.*Did you mean 'price'"),
        ({**WRIST, "column": "picture", "above": 1}, "Unknown column of a rule"),
        ({**WRIST, "column": "title", "lacks": ["x"]}, "Ask 'text' .*data.text=separate"),
        ({**WRIST, "column": "price"}, "must be one with some of .*above"),
        ({**WRIST, "column": "price", "equals": ["1"]}, "test of number in a rule on 'Watches > W"),
        ({**WRIST, "column": "text", "above": 1}, "test of text in a rule"),
        ({**WRIST, "column": "price", "above": "1"}, "`above` of a rule .* must be a number"),
        ({**WRIST, "column": "price", "above": True}, "must be a number"),
        ({**WRIST, "column": "text", "contains": "x"}, "`contains` of a rule .* must be a list"),
        ({**WRIST, "column": "text", "contains": []}, "must be a list of words"),
        ({**WRIST, "column": "text", "contains": ["+"]}, "must be a list of words"),
        ({**WRIST, "column": "text", "contain": ["x"]}, "key of a rule.*Did you mean 'contains'"),
    ],
)
def test_rules_that_do_not_fit_are_named(read, rule, message):
    with pytest.raises(ValueError, match=r"data\.taxonomy, .*taxonomy\.json: .*" + message):
        read(rules=[rule])


def test_flat_labels_are_no_paths_and_paths_may_differ_in_depth(read):
    odd = [{"class": "A >  > B"}, {"class": "C"}]
    assert list(read(odd, num_levels=1).texts) == ["A >  > B", "C"]
    assert list(read([WRIST, {"class": "C"}], num_levels=0).texts) == ["C", "Watches > Wrist"]


def test_files_that_cannot_be_read_are_named(tmp_path):
    path = tmp_path / "taxonomy.json"
    with pytest.raises(FileNotFoundError, match=r"data\.taxonomy: no such file: .*taxonomy\.json"):
        read_taxonomy(path, INPUTS, 2)
    path.write_text('{"classes": [')
    with pytest.raises(ValueError, match=r"taxonomy\.json: .*line 1 column"):
        read_taxonomy(path, INPUTS, 2)


def test_a_row_of_no_class_is_named():
    taxonomy = Taxonomy.of_labels(["a > b", "a > c"])
    check_labels(taxonomy, ["p0", "p1"], ["a > c", "a > c"])
    with pytest.raises(ValueError, match=r"2 rows .*'p1': 'a > d'\. Did you mean 'a > c'\? Add"):
        check_labels(taxonomy, ["p0", "p1", "p2"], ["a > c", "a > d", "e"])

"""From what a pipeline has made back to what it was made from."""

import json
import shutil
import xml.etree.ElementTree as ET

import pytest

from components.content import fingerprint, fingerprint_code
from components.layers import Bend, find_layers
from components.lineage import trace
from components.lineage_picture import draw
from components.lineage_target import find_target
from components.lineage_text import write_tree
from components.metadata import FILE, Metadata
from components.runner import Runner
from trainer.provenance import write_provenance


@pytest.fixture
def find(push):
    """Returns a function from a path to its lineage."""

    def go(path):
        metadata = Metadata(push.root / FILE)
        try:
            return trace(metadata, find_target(metadata, path))
        finally:
            metadata.close()

    return go


def nodes(lineage):
    return [step.execution.node for step in lineage.steps.values()]


def test_a_pushed_version_goes_back_to_the_data(push, find):
    push("a")
    second = push("b", keep=5)
    lineage = find(push.destination / "2")
    assert lineage.target == second["Pusher"].outputs["pushed_model"]
    assert nodes(lineage) == ["Read", "Train", "Pusher"]
    read, train, pusher = lineage.steps.values()
    assert read.read == fingerprint([push.table])
    assert train.parameters == {"words": "b", "blessed": True}
    assert train.execution.code == fingerprint_code("toy_train.executor")
    assert not train.read
    assert pusher.inputs["model"] == second["Train"].outputs["model"]
    assert pusher.makers == {
        "model": train.execution.id,
        "model_blessing": train.execution.id,
    }
    assert find(push.destination).target == lineage.target


def test_every_way_to_name_an_artifact(push, find, tmp_path):
    results = push("a")
    pushed = results["Pusher"].outputs["pushed_model"]
    model = results["Train"].outputs["model"]
    assert find(pushed.uri).target == pushed
    assert find(pushed.uri / "pushed.json").target == pushed
    assert find(model.uri).target == model
    assert find(model.uri / "export" / "1").target == model
    # A copy elsewhere, known by what is in it.
    shutil.copytree(push.destination / "1", tmp_path / "copy")
    assert find(tmp_path / "copy").target == pushed
    # Written again by a newer version: known by its card.
    (tmp_path / "copy" / "saved_model.pb").write_text("others")
    assert find(tmp_path / "copy").target == pushed
    answers = tmp_path / "answers.csv"
    answers.write_text("id,label\n")
    write_provenance(answers, pushed.properties["run"], "http://localhost:8501")
    assert find(answers).target == pushed


def test_what_is_not_known_is_told(push, find, tmp_path):
    push("a")
    with pytest.raises(FileNotFoundError, match="Not found: "):
        find(tmp_path / "missing")
    with pytest.raises(FileNotFoundError, match="No exported model"):
        find(tmp_path)
    answers = tmp_path / "answers.csv"
    answers.write_text("")
    with pytest.raises(ValueError, match=r"answers.csv.model.json, which `taxofuse predict`"):
        find(answers)
    write_provenance(answers, "0123", "")
    with pytest.raises(ValueError, match=r"made nothing that fits .* training 0123 is not known"):
        find(answers)
    other = tmp_path / "other" / "1" / "saved_model.pb"
    other.parent.mkdir(parents=True)
    other.write_text("")
    with pytest.raises(ValueError, match="made nothing that fits"):
        find(other.parent)


def test_a_version_that_was_restored_tells_of_its_model(push, find):
    from components.pusher.roll_back import roll_back

    first = push("a")
    push("b")
    metadata = Metadata(push.root / FILE)
    restored = roll_back(push.destination, metadata)
    lineage = find(push.destination / "3")
    assert lineage.target == restored
    assert lineage.maker.inputs == {"model": first["Train"].outputs["model"]}
    # The version before is another artifact of the same content.
    assert find(push.destination / "1").target == first["Pusher"].outputs["pushed_model"]
    assert "restored=1" in write_tree(lineage)


def test_what_was_removed_is_still_told(push, find):
    results = push("a")
    metadata = Metadata(push.root / FILE)
    for name in ("Train", "Read"):
        metadata.delete_outputs(results[name].execution)
        for artifact in results[name].outputs.values():
            shutil.rmtree(artifact.uri)
    lineage = find(push.destination / "1")
    assert nodes(lineage) == ["Read", "Train", "Pusher"]
    assert "(removed)" in write_tree(lineage)
    assert [step["outputs"]["examples"]["there"] for step in lineage.to_dict()["steps"][:1]] == [
        False
    ]


def test_the_tree_and_the_json_have_data_configuration_and_code(push, find):
    push("a")
    lineage = find(push.destination / "1")
    read, train, _ = lineage.steps.values()
    tree = write_tree(lineage)
    for told in (
        f"from files {fingerprint([push.table])}",
        'Configuration  Train #2: blessed=true, words="a"',
        f"Code           Train #2: {train.execution.code}",
        "Train #2, see above",
        lineage.target.fingerprint[:12],
    ):
        assert told in tree
    told = json.loads(json.dumps(lineage.to_dict()))
    (data,) = told["data"]
    assert (data["step"], data["read"]) == ("Read", read.read)
    assert [step["code"] for step in told["steps"]] == [
        step.execution.code for step in lineage.steps.values()
    ]
    assert told["target"]["properties"]["version"] == 1


def test_the_picture_has_a_box_for_each_step_and_an_arrow_for_each_input(diamond, tmp_path):
    results = Runner(tmp_path / "root", say=lambda line: None).run(diamond())
    metadata = Metadata(tmp_path / "root" / FILE)
    picture = ET.fromstring(draw(trace(metadata, results["Join"].outputs["model"])))
    space = "{http://www.w3.org/2000/svg}"
    texts = [text.text for text in picture.iter(f"{space}text")]
    for name, result in results.items():
        assert f"{name} #{result.execution}" in texts
    for label in ("first", "second", "examples"):
        assert label in texts
    arrows = [path for path in picture.iter(f"{space}path") if "marker-end" in path.attrib]
    assert len(arrows) == 4
    boxes = {}
    for rect in picture.iter(f"{space}rect"):
        if "rx" in rect.attrib:
            x, y, w, h = (float(rect.attrib[key]) for key in ("x", "y", "width", "height"))
            boxes[x, y] = (x, y, x + w, y + h)
            assert x >= 0
            assert x + w <= float(picture.attrib["width"])
            assert y + h <= float(picture.attrib["height"])
    assert len(boxes) == 4
    pairs = [(a, b) for a in boxes.values() for b in boxes.values() if a is not b]
    for (left, top, right, low), (x, y, to_x, to_y) in pairs:
        assert right < x or to_x < left or low < y or to_y < top


def test_arrows_go_down_and_bend_in_the_layers_between():
    layers = find_layers({"d": ["a", "c"], "b": ["a"], "c": ["b"], "a": [], "e": ["b"]})
    depth = {of: place for place, layer in enumerate(layers) for of in layer}
    assert [depth[of] for of in "abcd"] == [0, 1, 2, 3]
    assert depth["e"] == 2
    assert {of for of in depth if isinstance(of, Bend)} == {Bend("a", "d", 1), Bend("a", "d", 2)}
    # What is needed late stands late.
    assert find_layers({"a": [], "b": ["a"], "c": ["b", "x"], "x": []})[1] in (
        ["b", "x"],
        ["x", "b"],
    )


def test_layers_are_untangled():
    layers = find_layers({"a": [], "b": [], "x": ["b"], "y": ["a"]})
    assert layers in ([["a", "b"], ["y", "x"]], [["b", "a"], ["x", "y"]])

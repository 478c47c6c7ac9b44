"""An earlier version is live again: as a new one, noted as a push of the model it came from."""

import json
from dataclasses import replace

import pytest

from components.earlier import find_earlier
from components.metadata import FILE, Metadata, State
from components.pipeline import Behind, Latest, Output
from components.pusher import roll_back as module
from components.pusher.component import COMPONENT
from components.pusher.roll_back import roll_back
from components.pusher.versions import Versions


@pytest.fixture
def back(push):
    """Returns a function that rolls back, in metadata opened anew."""

    def go(**options):
        metadata = Metadata(push.root / FILE)
        try:
            return roll_back(push.destination, metadata, **options)
        finally:
            metadata.close()

    return go


def text(push, number):
    return (push.destination / str(number) / "saved_model.pb").read_text()


def test_the_version_before_is_live_again_and_noted_as_a_push(push, back):
    first, second = push("a"), push("b")
    artifact = back()
    versions = Versions(push.destination)
    assert versions.numbers() == [1, 2, 3]
    assert [text(push, number) for number in (1, 2, 3)] == ["ta", "tb", "ta"]
    assert artifact.properties["version"] == 3
    assert (artifact.properties["restored"], artifact.properties["instead_of"]) == (1, 2)
    metadata = Metadata(push.root / FILE)
    execution = metadata.maker(artifact.id)
    assert (execution.node, execution.state) == ("Pusher", State.COMPLETE)
    told = json.loads(execution.parameters)["roll_back"]
    assert told == {"restored": 1, "instead_of": 2, "withdrawn": versions.content(2)}
    assert metadata.inputs(execution.id) == {"model": first["Train"].outputs["model"]}
    assert metadata.runs()[-1].name == "shop"
    assert artifact.uri == push.root / "Pusher" / "pushed_model" / str(execution.id)
    assert second["Train"].outputs["model"] != first["Train"].outputs["model"]


def test_what_is_compared_with_is_what_is_live(push, back, toys):
    """As `Latest` finds it for a candidate that is neither."""
    from components.runner import _Run

    first = push("a")["Train"].outputs["model"]
    second = push("b")["Train"].outputs["model"]
    source = Latest("Pusher", "pushed_model", "model", unless=Output("Train", "model"))

    def in_use(candidate):
        run = object.__new__(_Run)
        run._metadata, run._results = Metadata(push.root / FILE), {"Train": candidate}
        return run._find(source)

    candidate = push("c", blessed=False)["Train"]
    assert in_use(candidate) == second
    back()
    assert in_use(candidate) == first


def test_an_equal_delivery_is_compared_with_what_the_model_in_use_has_learned_from(push):
    """Not with what the model before it has: only the very same examples are this run again."""
    made = [push(words, looked_at=True) for words in "ab"]
    examples, look = Output("Read", "examples"), Output("Look", "examples")
    model = Latest("Pusher", "pushed_model", "model", unless=examples, compared="examples")
    metadata = Metadata(push.root / FILE)

    def compared(own):
        return find_earlier(metadata, Behind(model, "examples", look), own)

    own = made[-1]["Read"].outputs["examples"]
    assert compared(own) is None
    statistics = made[-1]["Look"].outputs["examples"]
    assert compared(replace(own, fingerprint="of another span")) == statistics


def test_a_run_of_what_was_rolled_back_does_not_push_it_again(push, back):
    push("a")
    push("b")
    back()
    assert str(push("b")["Pusher"].outcome) == "cached"
    # Done anew, for a parameter: still not.
    artifact = push("b", keep=5)["Pusher"].outputs["pushed_model"]
    assert artifact.properties["empty"]
    assert "was rolled back from" in artifact.properties["reason"]
    assert Versions(push.destination).live() == 3
    # But another model is, and rolling back to it takes it back.
    assert push("c")["Pusher"].outputs["pushed_model"].properties["version"] == 4
    assert back(to=2).properties["version"] == 5
    assert text(push, 5) == "tb"
    assert push("b", keep=6)["Pusher"].outputs["pushed_model"].properties["version"] == 5


def test_a_roll_back_is_taken_back(push, back):
    push("a")
    push("b")
    back()
    assert back(to=2).properties["restored"] == 2
    # Nothing was wrong with a: it is not withdrawn for it.
    assert Versions(push.destination).withdrawn() == []
    assert back().properties["restored"] == 3
    assert text(push, 5) == "ta"


def test_back_and_back_again(push, back):
    for words in "abc":
        push(words)
    assert back().properties["restored"] == 2
    assert back().properties["restored"] == 1
    assert text(push, Versions(push.destination).live()) == "ta"
    with pytest.raises(ValueError, match="no version of another model to go back to"):
        back()
    with pytest.raises(ValueError, match="Version 1 is what is live already, as version 5"):
        back(to=1)
    with pytest.raises(ValueError, match=r"no version 9 to go back to .* Still there are 1, 2, 3"):
        back(to=9)


def test_a_version_that_was_removed_is_taken_from_the_model(push, back):
    for words in "abc":
        push(words, keep=1)
    # The one that a roll-back goes to stays beside the live one.
    assert Versions(push.destination).numbers() == [2, 3]
    assert back(to=1).properties["version"] == 4
    assert text(push, 4) == "ta"


def test_nothing_to_go_back_to(push, back):
    push("a", blessed=False)
    with pytest.raises(ValueError, match="Nothing was pushed to"):
        back()
    push("a")
    with pytest.raises(ValueError, match="no version of another model"):
        back()


class Killed(BaseException):
    """Stands for a kill: nothing of ours catches it and goes on."""


def test_killed_at_any_step_it_is_finished_and_not_done_twice(push, back, monkeypatch):
    places = [
        (Versions, "withdraw"),
        (Versions, "readmit"),
        (Versions, "push"),
        (module, "new_folder"),
        (Metadata, "complete"),
        (Versions, "retire"),
    ]
    for words in "abcdefgh":
        push(words, keep=20)
    versions = Versions(push.destination)
    expected = "tg"
    for place, name in places:
        live = versions.live()
        for after in (False, True):
            kill(monkeypatch, place, name, after)
            with pytest.raises(Killed):
                back()
            monkeypatch.undo()
            if versions.live() != live:
                break
        artifact = back() if name != "retire" else last_push(push)
        assert versions.live() == live + 1 == artifact.properties["version"]
        assert artifact.properties["instead_of"] == live
        assert text(push, live + 1) == expected
        expected = f"t{chr(ord(expected[1]) - 1)}"
    metadata = Metadata(push.root / FILE)
    assert not metadata.executions(State.RUNNING)


def kill(monkeypatch, place, name, after):
    """Makes a function raise, when it is called or when it is done; and the notes of it too."""
    real = getattr(place, name)

    def go(*args, **options):
        if after:
            real(*args, **options)
        raise Killed

    monkeypatch.setattr(place, name, go)
    # A killed process notes no failure.
    monkeypatch.setattr(Metadata, "fail", lambda *args: None)


def last_push(push):
    metadata = Metadata(push.root / FILE)
    (artifact,) = metadata.outputs(metadata.executions(node="Pusher")[-1].id).values()
    return artifact


def test_its_parameters_are_those_of_the_pusher(push, back):
    push("a", keep=7)
    push("b", keep=7)
    artifact = back()
    metadata = Metadata(push.root / FILE)
    told = json.loads(metadata.maker(artifact.id).parameters)
    del told["roll_back"]
    assert COMPONENT.make_parameters(told).keep == 7

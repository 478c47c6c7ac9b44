"""What nothing refers to goes, and only that."""

import shutil

import pytest

from components import garbage
from components.artifact import Artifact
from components.garbage import find_garbage, measure, remove
from components.metadata import FILE, Metadata
from components.runner import Runner


def folders(root):
    """Returns all artifacts that there are, as step/output/execution."""
    return {str(path.relative_to(root)) for path in root.glob("[!.]*/*/*") if path.is_dir()}


def collect(root, keep=1):
    """Removes the garbage; returns what went."""
    metadata = Metadata(root / FILE)
    found = find_garbage(root, metadata, keep)
    for one in found:
        remove(one, metadata)
    metadata.close()
    return {str(folder.relative_to(root)) for one in found for folder in one.folders}


@pytest.fixture
def run(tmp_path):
    def go(pipeline):
        return Runner(tmp_path / "root", say=lambda line: None).run(pipeline)

    go.root = tmp_path / "root"
    return go


def artifacts(results, root):
    return {
        str(artifact.uri.relative_to(root))
        for result in results.values()
        for artifact in result.outputs.values()
    }


def test_what_only_older_runs_made_goes(diamond, run):
    first = artifacts(run(diamond()), run.root)
    second = artifacts(run(diamond(second="*")), run.root)
    third = artifacts(run(diamond(first="!", second="/")), run.root)
    assert collect(run.root, keep=3) == set()
    assert collect(run.root, keep=2) == first - second
    assert folders(run.root) == second | third
    # Of the second run, the reading of the table belongs to the third too.
    assert collect(run.root) == second - third
    assert folders(run.root) == third
    outcomes = {name: str(of.outcome) for name, of in run(diamond(second="*")).items()}
    assert outcomes == {"Read": "cached", "Plus": "done", "Minus": "done", "Join": "done"}


def test_after_it_a_run_of_what_was_kept_does_nothing(diamond, run):
    run(diamond(second="*"))
    run(diamond())
    run(diamond())
    assert collect(run.root)
    assert {str(of.outcome) for of in run(diamond()).values()} == {"cached"}


def test_a_run_that_failed_keeps_what_it_found_and_its_scratch(diamond, run):
    run(diamond(second="*"))
    before = artifacts(run(diamond()), run.root)
    run(diamond(first="raise"))
    (run.root / ".scratch" / "Plus-0123").mkdir()
    gone = collect(run.root)
    assert ".scratch/Plus-0123" in gone
    assert len(list((run.root / ".scratch").glob("Plus-*/tries"))) == 1
    assert {name.split("/")[0] for name in folders(run.root)} == {"Read", "Minus"}
    assert folders(run.root) < before


def test_orphans_go_and_what_is_not_ours_stays(diamond, run):
    known = artifacts(run(diamond()), run.root)
    for name in ("Plus/examples/999", "Plus/examples/.partial-1-9", ".partial/7", "notes/a/1"):
        (run.root / name).mkdir(parents=True)
    (run.root / "Plus" / "examples" / "words").mkdir()
    gone = collect(run.root)
    assert gone == {"Plus/examples/999", "Plus/examples/.partial-1-9", ".partial/7"}
    assert folders(run.root) == {*known, "notes/a/1", "Plus/examples/words"}


def test_a_folder_that_was_moved_is_no_orphan(diamond, run, tmp_path):
    known = artifacts(run(diamond()), run.root)
    run.root.rename(tmp_path / "elsewhere")
    assert collect(tmp_path / "elsewhere") == set()
    assert folders(tmp_path / "elsewhere") == known


def test_what_was_pushed_keeps_all_that_it_was_made_from(push):
    made = {words: artifacts(push(words, keep=2), push.root) for words in "abcd"}
    # Of a and b the versions are gone, c is still there, d is of the last run.
    assert collect(push.root) == (made["a"] | made["b"]) - made["c"]
    assert folders(push.root) == made["c"] | made["d"]
    # The last push stays, whatever became of its folder; also where that is not mounted.
    push("e", blessed=False, keep=2)
    shutil.move(push.destination, push.root.parent / "unmounted")
    assert collect(push.root) == set()
    push.destination.mkdir()
    assert collect(push.root) == made["c"] - made["d"]


def test_the_run_that_made_what_is_live_stays(push):
    """What else it found out of the data is what new data are compared with."""
    made = artifacts(push("a", looked_at=True), push.root)
    assert any(name.startswith("Look/") for name in made)
    push("b", blessed=False, looked_at=True)
    push("c", blessed=False)
    gone = collect(push.root)
    assert made <= folders(push.root)
    assert {name.split("/")[0] for name in gone} == {"Train", "Pusher"}


def test_a_roll_back_does_not_count_as_a_run_and_keeps_what_it_restored(push):
    from components.pusher.roll_back import roll_back

    made = {words: artifacts(push(words, keep=1), push.root) for words in "abc"}
    metadata = Metadata(push.root / FILE)
    restored = roll_back(push.destination, metadata, to=1)
    metadata.close()
    gone = collect(push.root)
    own = str(restored.uri.relative_to(push.root))
    # Version 2 went when version 4 came: b is nothing any more. The run of a is not the last
    # one, but its model is live.
    assert made["c"] <= folders(push.root)
    assert own in folders(push.root)
    train = {name for name in made["a"] if name.startswith(("Train", "Read"))}
    assert train <= folders(push.root)
    assert {name.split("/")[0] for name in gone} <= {"Train", "Pusher"}
    assert str(push("c", keep=1)["Pusher"].outcome) == "cached"


def test_a_chain_of_models_goes_but_for_the_last_link(tmp_path):
    """Each began from the one before: of the base that is kept its own base is not."""
    metadata = Metadata(tmp_path / FILE)

    def do(run, node, inputs):
        told = (run, node, node, "", "{}", "", "", inputs)
        execution = metadata.begin_execution(*told)
        folder = tmp_path / node / "made" / str(execution)
        folder.mkdir(parents=True)
        made = {"made": Artifact("Model", folder, str(execution))}
        return metadata.complete(execution, made)["made"]

    base = {}
    for span in range(4):
        run = metadata.begin_run("spans", {"span": span})
        examples = do(run, "Read", {})
        base = {"base_model": do(run, "Train", {"examples": examples, **base})}
    metadata.close()
    assert collect(tmp_path) == {"Read/made/1", "Train/made/2", "Read/made/3", "Train/made/4"}


def test_killed_in_between_it_leaves_nothing_that_counts(diamond, run, monkeypatch):
    run(diamond(second="*"))
    run(diamond())

    def die(*args, **options):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(garbage.shutil, "rmtree", die)
        with pytest.raises(KeyboardInterrupt):
            collect(run.root)
    # Half a folder may be there: it is no output of the run that made it.
    results = run(diamond(second="*"))
    assert {str(of.outcome) for of in results.values()} == {"cached", "done"}
    known = artifacts(results, run.root)
    collect(run.root)
    assert folders(run.root) == known


def test_what_has_two_names_is_counted_when_both_go(tmp_path):
    for name in ("a", "b", "c"):
        (tmp_path / name).mkdir()
    (tmp_path / "a" / "file").write_bytes(b"0" * 1000)
    (tmp_path / "b" / "file").hardlink_to(tmp_path / "a" / "file")
    (tmp_path / "c" / "file").write_bytes(b"0" * 10)
    of = [garbage.Garbage((tmp_path / name,), "") for name in ("a", "b", "c")]
    assert measure(of) == 1010
    assert measure(of[1:]) == 10


def test_at_least_one_run_is_kept(diamond, run):
    run(diamond())
    with pytest.raises(ValueError, match=r"At least the last run is kept. Received: 0"):
        collect(run.root, keep=0)

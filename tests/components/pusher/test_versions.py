"""A folder that servers watch: whole versions only, also while they come and go."""

import hashlib
import json
import multiprocessing
import os
import shutil
import time

import pytest

from components.content import fingerprint
from components.pusher import versions
from components.pusher.versions import Versions, copy_version, find_sizes


def write_model(folder, number):
    """Writes files and their checksums; `saved_model.pb` among them."""
    contents = {
        "variables/variables.data": os.urandom(2000) + b"%d" % number,
        "assets/words": b"%d" % number,
        "saved_model.pb": b"graph %d" % number,
    }
    for name, content in contents.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    sums = {name: hashlib.sha256(content).hexdigest() for name, content in contents.items()}
    (folder / "assets" / "sums.json").write_text(json.dumps(sums))
    return folder


def load_model(folder):
    """Loads as a server does, the checksums first; raises where something is missing or wrong."""
    sums = json.loads((folder / "assets" / "sums.json").read_text())
    for name, digest in sums.items():
        if hashlib.sha256((folder / name).read_bytes()).hexdigest() != digest:
            raise ValueError(f"broken: {folder / name}")


def poll(folder, stop, found):
    """Loads the newest version over and over; says how often, and what was wrong."""
    loaded, seen, wrong, passed = 0, set(), [], 0
    while not stop.is_set():
        numbers = [int(name) for name in os.listdir(folder) if name.isdigit()]
        if not numbers:
            continue
        newest = folder / str(max(numbers))
        try:
            load_model(newest)
        except (OSError, ValueError) as error:
            # Read slower than versions are replaced, it may be gone; but never half.
            if newest.exists() or isinstance(error, ValueError):
                wrong.append(repr(error))
            passed += 1
        else:
            loaded += 1
            seen.add(newest.name)
    found.put((loaded, len(seen), wrong, passed))


@pytest.mark.parametrize("keep", [3, 200])
def test_a_reader_that_polls_during_100_pushes_always_loads_a_whole_model(tmp_path, keep):
    versions = Versions(tmp_path / "served")
    versions.folder.mkdir()
    context = multiprocessing.get_context("fork")
    stop, found = context.Event(), context.Queue()
    reader = context.Process(target=poll, args=(versions.folder, stop, found))
    reader.start()
    for number in range(100):
        source = write_model(tmp_path / "model", number)
        with versions.locked():
            assert versions.push(source) == number + 1
            versions.retire(keep)
        shutil.rmtree(source)
        time.sleep(0.002)
    stop.set()
    loaded, seen, wrong, passed = found.get(timeout=30)
    reader.join()
    assert not wrong
    assert loaded >= 100
    assert seen >= 30
    if keep == 200:
        assert not passed
    assert versions.numbers() == list(range(max(1, 101 - keep), 101))
    # Nothing else is left but the lock.
    names = {path.name for path in versions.folder.iterdir() if not path.name.isdigit()}
    assert names == {".push.lock"}


def test_what_is_live_is_not_pushed_twice(tmp_path):
    versions = Versions(tmp_path / "served")
    first, second = (write_model(tmp_path / name, place) for place, name in enumerate("ab"))
    with versions.locked():
        assert [versions.push(first), versions.push(first)] == [1, 1]
        assert versions.push(second) == 2
        # An earlier model is a new version: the highest number is what is served.
        assert versions.push(first) == 3
    assert versions.content(3) == versions.content(1) == fingerprint([first])


def test_numbers_that_are_taken_by_something_else_are_passed_over(tmp_path):
    versions = Versions(tmp_path / "served")
    (versions.folder / "7").mkdir(parents=True)
    assert (versions.live(), versions.next_number()) == (0, 8)
    with versions.locked():
        assert versions.push(write_model(tmp_path / "a", 0)) == 8
    assert versions.numbers() == [8]


def test_what_a_killed_push_left_is_cleared(tmp_path):
    versions = Versions(tmp_path / "served")
    for name in (".push-4", ".removed-2"):
        write_model(versions.folder / name, 0)
    assert versions.numbers() == []
    with versions.locked():
        assert versions.push(write_model(tmp_path / "a", 0)) == 1
    assert {path.name for path in versions.folder.iterdir()} == {".push.lock", "1"}


def test_live_pinned_and_what_a_roll_back_would_go_to_stay(tmp_path):
    versions = Versions(tmp_path / "served")
    a, b, c = (write_model(tmp_path / name, place) for place, name in enumerate("abc"))
    with versions.locked():
        for model in (a, b, c, b):
            versions.push(model)
        versions.withdraw(fingerprint([c]))
        assert versions.before() == 1
        assert versions.retire(1, [2]) == [3]
    assert versions.numbers() == [1, 2, 4]
    with versions.locked():
        versions.readmit(fingerprint([c]))
        assert versions.withdrawn() == []
        versions.push(c)
        assert versions.retire(1) == [1, 2]
    assert versions.numbers() == [4, 5]


def test_a_copy_is_whole_with_links_and_without(tmp_path, monkeypatch):
    source = write_model(tmp_path / "a", 0)
    copy_version(source, tmp_path / "linked")
    assert os.path.samefile(source / "saved_model.pb", tmp_path / "linked" / "saved_model.pb")

    def refuse(*args, **options):
        raise OSError("other file system")

    monkeypatch.setattr(os, "link", refuse)
    copy_version(source, tmp_path / "copied")
    assert not os.path.samefile(source / "saved_model.pb", tmp_path / "copied" / "saved_model.pb")
    for name in ("linked", "copied"):
        assert fingerprint([tmp_path / name]) == fingerprint([source])
        assert find_sizes(tmp_path / name) == find_sizes(source)


def test_saved_model_comes_last(tmp_path, monkeypatch):
    order = []
    monkeypatch.setattr(versions, "link_tree", lambda source, target: order.append(target.name))
    copy_version(write_model(tmp_path / "a", 0), tmp_path / "b")
    assert len(order) == 4
    assert order[-1] == "saved_model.pb"

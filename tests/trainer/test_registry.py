import sys

import pytest

from trainer.registry import FUSIONS, Registry, unknown

MEMBER = """
from trainer.registry import Registry
import {package}
@{package}.PARTS.register("{name}")
class Part:
    pass
"""


@pytest.fixture
def parts(tmp_path, monkeypatch):
    """Returns an empty package's registry and a function that adds a module to it."""
    package = f"parts_of_{tmp_path.name.replace('-', '_')}"
    folder = tmp_path / package
    folder.mkdir()
    source = f"from trainer.registry import Registry\nPARTS = Registry('part', {package!r})\n"
    (folder / "__init__.py").write_text(source)
    monkeypatch.syspath_prepend(tmp_path)

    def add(module, name):
        (folder / f"{module}.py").write_text(MEMBER.format(package=package, name=name))

    add("first", "one")
    yield __import__(package).PARTS, add
    for module in [module for module in sys.modules if module.startswith(package)]:
        del sys.modules[module]


def test_finds_members_without_a_list(parts):
    registry, add = parts
    add("second", "two")
    assert registry.names() == ["one", "two"]
    assert registry.get("two").__name__ == "Part"


def test_finds_a_file_that_was_dropped_in_later(parts):
    registry, add = parts
    assert registry.names() == ["one"]
    add("third", "three")
    assert registry.names() == ["one", "three"]


def test_two_files_cannot_share_a_name(parts):
    registry, add = parts
    add("second", "one")
    with pytest.raises(ValueError, match=r"Two part members are named 'one': .*first.*second"):
        registry.names()


def test_the_same_file_may_register_again():
    registry = Registry("part", "trainer.fusion")

    def part():
        pass

    assert registry.register("one")(part) is part
    registry.register("one")(part)


def test_unknown_names_are_answered_with_the_known_ones():
    with pytest.raises(ValueError, match=r"Unknown fusion\. .*'concat'.*'gatd'.*mean 'gated'\?"):
        FUSIONS.get("gatd")


def test_offers_nothing_where_nothing_is_close():
    message = unknown("colour", "x", ["red", "green"])
    assert message == "Unknown colour. Expected one of ['green', 'red']. Received: 'x'."


def test_makes_members_of_options():
    assert FUSIONS.make("concat", {}, name="joined").name == "joined"
    with pytest.raises(ValueError, match=r"Unknown option of fusion 'gated'\. Expected.*'dims'"):
        FUSIONS.make("gated", {"dims": 3}, name="joined")
    # A name is not for the configuration to choose.
    with pytest.raises(ValueError, match=r"option of model\.fusion.*Received: 'name'"):
        FUSIONS.make("gated", {"name": "mine"}, at="model.fusion", name="joined")
    with pytest.raises(ValueError, match=r"must be a mapping\. Received: 'rank'"):
        FUSIONS.make("gated", "rank", name="joined")

"""The same contents have the same fingerprint, and odd paths have one too."""

import pytest

from components.content import fingerprint, fingerprint_code


def test_contents_count_and_places_do_not(tmp_path):
    for name in ("a", "b"):
        (tmp_path / name / "part").mkdir(parents=True)
        (tmp_path / name / "part" / "file").write_text("same")
    assert fingerprint([tmp_path / "a"]) == fingerprint([tmp_path / "b"])
    (tmp_path / "b" / "part" / "file").rename(tmp_path / "b" / "part" / "other")
    assert fingerprint([tmp_path / "a"]) != fingerprint([tmp_path / "b"])


def test_what_cannot_be_a_file_costs_nothing_else(tmp_path):
    """As a cell of a picture column that holds prose."""
    (tmp_path / "file").write_text("a")
    odd = tmp_path / ("word " * 100)
    before = fingerprint([odd, tmp_path / "file"])
    assert before == fingerprint([odd, tmp_path / "file"])
    assert before != fingerprint([tmp_path / "absent", tmp_path / "file"])
    (tmp_path / "file").write_text("b")
    assert fingerprint([odd, tmp_path / "file"]) != before


def test_names_that_are_no_text_are_told_apart(tmp_path):
    digests = set()
    for name in (b"\xff", b"\xfe"):
        folder = tmp_path / f"of-{name[0]}"
        folder.mkdir()
        with open(bytes(folder) + b"/" + name, "wb") as file:
            file.write(b"a")
        digests.add(fingerprint([folder]))
    assert len(digests) == 2


@pytest.fixture
def page(import_components, forget_code, tmp_path):
    """The name of an executor with a template beside it, and the template."""
    import_components({"toy_page": ("COMPONENT = None", "")})
    template = tmp_path / "packages" / "toy_page" / "templates" / "page.html"
    template.parent.mkdir()
    template.write_text("<h1>")
    forget_code()
    yield "toy_page.executor", template
    forget_code()


def test_templates_and_libraries_are_code(page, forget_code, monkeypatch):
    module, template = page
    before = fingerprint_code(module)
    template.write_text("<h2>")
    forget_code()
    after = fingerprint_code(module)
    assert after != before
    monkeypatch.setattr("components.content._versions", lambda: "keras 9")
    forget_code()
    assert fingerprint_code(module) not in {before, after}

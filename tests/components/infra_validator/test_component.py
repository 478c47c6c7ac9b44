"""What a validation depends on beside what it imports."""

import sys
from pathlib import Path

from components.content import fingerprint
from components.infra_validator.component import COMPONENT, Parameters
from serving.commands import serve
from serving.server.rest import handler


def test_a_server_that_changes_is_asked_again(tmp_path, monkeypatch):
    read = COMPONENT.reads(Parameters())
    assert {Path(serve.__file__), Path(handler.__file__)} <= set(read)
    assert all(path.suffix == ".py" for path in read)
    # The same of a package that may be changed.
    folder = tmp_path / "serving" / "server"
    folder.mkdir(parents=True)
    for path in (folder.parent / "__init__.py", folder / "__init__.py", folder / "answer.py"):
        path.write_text("")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "serving")
    before = COMPONENT.reads(Parameters())
    assert before == [
        folder.parent / "__init__.py",
        folder / "__init__.py",
        folder / "answer.py",
    ]
    state = fingerprint(before)
    (folder / "answer.py").write_text("LABEL = 'other'")
    assert fingerprint(COMPONENT.reads(Parameters())) != state
    assert "serving" not in sys.modules

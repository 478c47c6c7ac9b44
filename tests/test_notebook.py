"""The notebook runs from start to end, and holds nothing that belongs in a package."""

from __future__ import annotations

import ast
import sys
from pathlib import Path

import nbformat
import pytest

NOTEBOOK = Path(__file__).parents[1] / "notebooks" / "quickstart.ipynb"


@pytest.fixture
def notebook() -> nbformat.NotebookNode:
    return nbformat.read(NOTEBOOK, as_version=4)


def test_it_defines_nothing_reusable_and_keeps_no_outputs(
    notebook: nbformat.NotebookNode,
) -> None:
    for cell in notebook.cells:
        if cell.cell_type == "code":
            definitions = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
            assert not any(
                isinstance(node, definitions) for node in ast.walk(ast.parse(cell.source))
            )
            assert not cell.outputs


@pytest.mark.filterwarnings("default")
def test_it_runs(
    notebook: nbformat.NotebookNode, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from jupyter_client.kernelspec import KernelSpecManager
    from nbclient import NotebookClient

    monkeypatch.setenv("TAXOFUSE_CONFIG", "tiny")
    monkeypatch.setenv("TAXOFUSE_PRODUCTS", "150")
    monkeypatch.setenv("TAXOFUSE_FOLDER", str(tmp_path / "quickstart"))
    # A kernel of this very interpreter, whatever kernels the machine has.
    monkeypatch.setenv("JUPYTER_PATH", str(tmp_path / "jupyter"))
    kernel = tmp_path / "jupyter" / "kernels" / "this-python"
    kernel.mkdir(parents=True)
    argv = f'["{sys.executable}", "-m", "ipykernel_launcher", "-f", "{{connection_file}}"]'
    (kernel / "kernel.json").write_text(
        f'{{"argv": {argv}, "display_name": "this", "language": "python"}}'
    )
    assert "this-python" in KernelSpecManager().find_kernel_specs()
    client = NotebookClient(
        notebook,
        timeout=600,
        kernel_name="this-python",
        resources={"metadata": {"path": str(NOTEBOOK.parents[1])}},
    )
    client.execute()
    (held_out,) = [
        output.text
        for cell in notebook.cells
        for output in cell.get("outputs", [])
        if output.get("name") == "stdout" and "held-out products" in output.text
    ]
    assert 15 <= int(held_out.split()[0]) <= 60  # a fifth, more or less, of 150
    assert (tmp_path / "quickstart" / "evaluation" / "report.html").is_file()

from __future__ import annotations

import argparse
import subprocess
import sys

import pytest

from trainer.commands import demo_data


def _run(*words: str) -> int:
    parser = argparse.ArgumentParser()
    demo_data.add_arguments(parser)
    return demo_data.run(parser.parse_args(words))


def test_prints_the_table_on_stdout_and_progress_on_stderr(tmp_path, capsys):
    out = tmp_path / "demo"
    assert _run("--out", str(out), "--products", "30", "--seed", "9") == 0
    printed = capsys.readouterr()
    assert printed.out == f"{out / 'products.csv'}\n"
    assert "30 of 30 products drawn" in printed.err
    assert "30 products, seed 9" in (out / "README.txt").read_text(encoding="utf-8")


def test_too_few_products_are_a_wrong_call(tmp_path, capsys):
    assert _run("--out", str(tmp_path / "demo"), "--products", "3") == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert "num_products >= 26" in printed.err
    assert not (tmp_path / "demo").exists()


def test_a_folder_in_use_is_a_wrong_call(tmp_path, capsys):
    (tmp_path / "notes.txt").write_text("mine")
    assert _run("--out", str(tmp_path), "--products", "26") == 2
    assert "Name another folder" in capsys.readouterr().err


def test_out_is_required(capsys):
    with pytest.raises(SystemExit) as stopped:
        _run()
    assert stopped.value.code == 2
    assert "--out" in capsys.readouterr().err


def test_declaring_the_command_imports_nothing_heavy():
    code = (
        "import sys; import trainer.commands.demo_data; "
        "print(sorted({'tensorflow', 'numpy', 'PIL', 'pandas'} & set(sys.modules)))"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"

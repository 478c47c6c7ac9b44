import importlib.util
from pathlib import Path

import pytest

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"


def _load(name):
    spec = importlib.util.spec_from_file_location(name, BENCHMARKS / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def hard_texts():
    """Returns texts of many scripts, of broken UTF-8, and long ones."""
    return list(_load("edge_texts").generate_texts(600))


@pytest.fixture(scope="session")
def drawn_pictures():
    """Returns picture files of every format and sampling by name."""
    return _load("edge_pictures").draw_pictures([(37, 29), (3, 200), (1, 1), (150, 110)])


@pytest.fixture(scope="session")
def code_points():
    """Returns code points: those of the first planes thinly, those of which versions differ all."""
    from serving.edge.texts.unicode_versions import LATER, NOT_IN_13

    points = [*range(0x3500), *range(0x3500, 0x110000, 53)]
    points += [point for point in range(0x1F000) if point in LATER or point in NOT_IN_13]
    points += [*range(0xA000, 0xAC00), *range(0xF900, 0x10000), *range(0x1D400, 0x1D800)]
    return [chr(point) for point in sorted(set(points)) if not 0xD800 <= point < 0xE000]

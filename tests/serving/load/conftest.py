import importlib.util
from pathlib import Path

import pytest

FAKE = Path(__file__).parents[1] / "client" / "fake_server.py"


@pytest.fixture
def serve():
    """Returns a function that starts fake servers, which end with the test."""
    spec = importlib.util.spec_from_file_location("fake_server", FAKE)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    running = []

    def start(**options):
        running.append(module.FakeServer(**options))
        return running[-1]

    yield start
    for server in running:
        server.close()

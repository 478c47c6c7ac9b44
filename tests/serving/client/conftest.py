import importlib.util
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def fake():
    """Returns the module of the fake server."""
    path = Path(__file__).with_name("fake_server.py")
    spec = importlib.util.spec_from_file_location("fake_server", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def serve(fake):
    """Returns a function that starts servers, which end with the test."""
    running = []

    def start(**options):
        running.append(fake.FakeServer(**options))
        return running[-1]

    yield start
    for server in running:
        server.close()


@pytest.fixture
def server(serve):
    return serve()


@pytest.fixture(params=["rest", "grpc"])
def url(request, server):
    """Returns the address of the server by each protocol in turn."""
    return getattr(server, request.param)

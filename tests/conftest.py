"""Fixtures: `weir` is one server for a test module; `fresh_weir` one for a test (for tests that kill
or restart it); `make_weir(...)` one with options of the test's own."""
import pytest

from weirtest import Weir


@pytest.fixture(scope="module")
def weir():
    server = Weir()
    yield server
    server.stop()


@pytest.fixture
def fresh_weir():
    server = Weir()
    yield server
    server.stop()


@pytest.fixture
def make_weir():
    """make_weir(args=..., data_dir=..., env=...) for tests that need their own options."""
    servers = []

    def make(**kw):
        servers.append(Weir(**kw))
        return servers[-1]

    yield make
    for server in servers:
        server.stop()

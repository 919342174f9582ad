"""Order of the system tests."""


def pytest_collection_modifyitems(items):
    """Terraform mostly waits for its provider, minutes long: what begins first ends beside all others."""
    items.sort(key=lambda item: "test_terraform.py" not in item.nodeid)

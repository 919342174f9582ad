"""Order of the system tests."""

# Minutes each, most of them waited: for Terraform's provider, for servers that are killed and start again.
# What begins first ends beside all others; in the order of names test_torture ran at the end, alone.
LONGEST = ("test_terraform.py", "test_torture.py")


def pytest_collection_modifyitems(items):
    items.sort(key=lambda item: LONGEST.index(item.path.name) if item.path.name in LONGEST else len(LONGEST))

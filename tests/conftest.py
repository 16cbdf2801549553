"""The order of a run by several processes: what takes longest first, so that none is left alone with it."""

import pytest

_LONGEST_FIRST = ("e2e", "policy")


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tests keep their order within a folder; without several processes, too."""
    items.sort(key=lambda item: next((n for n, name in enumerate(_LONGEST_FIRST) if f"/{name}/" in str(item.path)), 9))

import gc
from collections.abc import Iterator

import pytest

from siteforge import garbage


@pytest.fixture(autouse=True)
def usual() -> Iterator[None]:
    """As it comes; after the test, as it was."""
    before = gc.get_threshold()
    gc.set_threshold(700, 10, 10)
    yield
    gc.set_threshold(*before)


def test_garbage_is_looked_for_rarely_but_is_found() -> None:
    garbage.collect_rarely({})
    assert gc.isenabled()
    assert gc.get_threshold()[0] == 50_000
    collected = gc.get_stats()[0]["collections"]
    kept = [[number] for number in range(200_000)]
    assert 3 <= gc.get_stats()[0]["collections"] - collected <= 8
    assert len(kept) == 200_000


def test_python_does_as_it_comes_when_asked_to() -> None:
    garbage.collect_rarely({garbage.VARIABLE: "yes"})
    assert gc.get_threshold() == (700, 10, 10)

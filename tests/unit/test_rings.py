import pytest

from siteforge import rings


def test_rings_are_released_in_one_order_however_they_are_asked_for() -> None:
    assert rings.parse("all, canary") == ["canary", "all"]
    assert rings.parse(",".join(rings.RINGS)) == list(rings.RINGS)
    assert rings.LAST == "all"


def test_a_ring_that_is_none_is_named() -> None:
    with pytest.raises(ValueError, match=r"no ring \(cannary\) - the rings are canary, early, all"):
        rings.parse("cannary,all")

"""Leader election against the real API server, with seconds that are shorter than anybody would choose."""

from collections.abc import Iterator

import pytest

from siteforge.errors import ClusterError
from siteforge.fleet.cluster import Cluster
from siteforge.fleet.election import Election, Timing
from siteforge.fleet.kinds import LEASE
from tests.support.clock import Clock
from tests.support.commands import kubectl
from tests.support.waiting import eventually

NAME, NAMESPACE = "e2e-election", "default"


@pytest.fixture
def cluster(api: Cluster) -> Iterator[Cluster]:
    api.delete(LEASE, NAME, NAMESPACE)
    yield api
    api.delete(LEASE, NAME, NAMESPACE)


def candidates(cluster: Cluster, clock: Clock) -> tuple[Election, Election]:
    timing = Timing(lease=15, renewal=10, retry=0.1)
    first, second = (Election(cluster, NAME, NAMESPACE, name, timing, clock) for name in ("first", "second"))
    return first, second


def test_who_comes_first_leads_until_its_lease_has_run_out(cluster: Cluster) -> None:
    clock = Clock()
    first, second = candidates(cluster, clock)
    assert (first.attempt(), second.attempt()) == (True, False)
    assert (first.leading, second.leading) == (True, False)
    for _ in range(4):
        clock.now += 9
        assert (first.attempt(), second.attempt()) == (True, False), "a lease that is renewed is never taken"
    clock.now += 10
    assert not first.leading, "its holder stops before others may begin"
    assert not second.attempt()
    clock.now += 5
    assert (second.attempt(), second.leading, first.leading) == (True, True, False)
    assert not first.attempt()
    transitions = kubectl("get", "lease", NAME, "-n", NAMESPACE, "-o", "jsonpath={.spec.leaseTransitions}")
    assert transitions == "1"


def test_of_two_who_write_at_once_one_fails(cluster: Cluster) -> None:
    clock = Clock()
    first, second = candidates(cluster, clock)
    assert first.attempt()
    found = cluster.get(LEASE, NAME, NAMESPACE)
    first._write(found, first._spec("2026-11-29T00:00:00.000000Z", "2026-11-29T00:00:00.000000Z", 0))
    with pytest.raises(ClusterError, match="409"):
        second._write(found, second._spec("2026-11-29T00:00:00.000000Z", "2026-11-29T00:00:00.000000Z", 1))


def test_who_stands_down_is_followed_at_once(cluster: Cluster) -> None:
    clock = Clock()
    first, second = candidates(cluster, clock)
    first.start()
    eventually("the first to lead", lambda: first.leading, seconds=30)
    second.start()
    first.end()
    eventually("the second to lead", lambda: second.leading, seconds=30)
    assert not first.leading
    second.end()

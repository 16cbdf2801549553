from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from siteforge.errors import ClusterError
from siteforge.fleet.cluster import Cluster
from siteforge.fleet.connection import WatchEndedError
from siteforge.fleet.kinds import POD
from tests.support import servers

EVENT = '{"type": "ADDED", "object": {"metadata": {"name": "a"}}}\n'


@pytest.fixture
def answering(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Cluster]:
    """Makes a connection to an address."""

    def connect(address: str) -> Cluster:
        monkeypatch.setenv("KUBECONFIG", str(servers.kubeconfig(tmp_path, address)))
        return Cluster()

    return connect


def refusing_once(body: str) -> servers.Answer:
    """An API server that has too much to do at first."""
    left: Iterator[tuple[int, str]] = iter([(429, "")])
    return lambda _: next(left, (200, body))


def test_a_list_a_watch_and_a_log_wait_for_a_server_that_has_too_much_to_do(
    answering: Callable[[str], Cluster],
) -> None:
    with servers.serving(refusing_once('{"items": [{"a": 1}]}')) as address, answering(address) as cluster:
        assert cluster.objects(POD) == [{"a": 1}]
        assert cluster.requests == 2
    with servers.serving(refusing_once(EVENT)) as address, answering(address) as cluster:
        assert [change.object["metadata"]["name"] for change in cluster.watch(POD, "1")] == ["a"]
        assert cluster.requests == 2
    with servers.serving(refusing_once("a line")) as address, answering(address) as cluster:
        assert list(cluster.log("here", "pod", "main")) == ["a line"]
        assert cluster.requests == 2


def test_a_watch_that_breaks_off_tells_what_came_and_asks_for_a_new_list(
    answering: Callable[[str], Cluster],
) -> None:
    with servers.serving(lambda _: (200, EVENT), missing=1) as address, answering(address) as cluster:
        changes = cluster.watch(POD, "1")
        assert next(changes).type == "ADDED"
        with pytest.raises(WatchEndedError, match="broke off"):
            next(changes)


def test_a_watch_of_a_server_that_refuses_for_good_says_why(answering: Callable[[str], Cluster]) -> None:
    with (
        servers.serving(lambda _: (403, "")) as address,
        answering(address) as cluster,
        pytest.raises(ClusterError, match=r"refuses /api/v1/pods \(403\).* - ask for the right"),
    ):
        next(cluster.watch(POD, "1"))
    with (
        servers.serving(lambda _: (410, '{"message": "too old"}')) as address,
        answering(address) as cluster,
        pytest.raises(WatchEndedError, match="too old"),
    ):
        next(cluster.watch(POD, "1"))

"""Runs against an API server that is slow, refuses requests, or goes away at some moment."""

from collections.abc import Iterator

import pytest

from tests.e2e.conftest import MakeStack
from tests.support import simulated
from tests.support.api_proxy import ApiProxy
from tests.support.commands import kubectl
from tests.support.fleet import up
from tests.support.stack import Stack

NAMES = ("e2e-slow-a", "e2e-slow-b")
LONGEST_SECONDS = 180


@pytest.fixture(scope="module")
def proxy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ApiProxy]:
    """Before the cluster's API server."""
    with ApiProxy(tmp_path_factory.mktemp("proxy")).serving() as serving:
        yield serving


@pytest.fixture(scope="module")
def stack(make_stack: MakeStack, proxy: ApiProxy) -> Iterator[Stack]:
    """A stack of two tenants with simulated pods that reaches its cluster through the proxy only."""
    made = make_stack("slow")
    made.environment["KUBECONFIG"] = str(proxy.kubeconfig)
    made.configure("readiness", "fleet")
    made.catalogue(declared("A site"))
    yield made
    # Here, as the provider remembers the way through the proxy, which is gone at the session's end.
    made.destroy()
    del made.environment["KUBECONFIG"]


@pytest.fixture(autouse=True)
def whole(proxy: ApiProxy) -> Iterator[None]:
    """An API server that is well before and after each test."""
    proxy.reset()
    yield
    proxy.reset()


def declared(title: str) -> str:
    return simulated.catalogue([simulated.tenant(name, title) for name in NAMES])


def converged(stack: Stack) -> None:
    """Both tenants are ready, and Pulumi and the drift check have nothing to say."""
    assert stack.siteforge("up", "--timeout", "120").returncode == 0
    assert all(map(simulated.ready, NAMES))
    assert set(stack.preview().counts) == {"unchanged"}
    assert stack.siteforge("drift", *(argument for name in NAMES for argument in ("--tenant", name))).returncode == 0


def test_a_slow_server_that_refuses_some_requests_is_waited_for(stack: Stack, proxy: ApiProxy) -> None:
    proxy.delay, proxy.refuse_every = 0.2, 7
    done = stack.siteforge("up", "--timeout", str(LONGEST_SECONDS))
    assert proxy.refused > 5
    assert done.returncode == 0
    proxy.reset()
    converged(stack)


def test_who_could_not_be_seen_ready_is_looked_at_again(stack: Stack, proxy: ApiProxy) -> None:
    """`siteforge up` ends with 0 only when the tenants of its run are ready, also if an earlier one did the work."""
    stack.catalogue(declared("A site that nobody sees"))
    # The wait lists them; Pulumi asks for each by its name.
    proxy.denied = "/statefulsets?"
    for _ in range(2):
        unseen = up(stack, code=1)
        assert proxy.refused
        assert "whether the tenants are ready could not be seen" in " ".join(unseen["problems"])
        assert [run["tenants"] for run in unseen["runs"]] == [[*NAMES]]
    proxy.reset()
    assert [run["tenants"] for run in up(stack)["runs"]] == [[*NAMES]]
    assert up(stack)["runs"] == []


def test_a_server_that_is_down_at_the_start_is_named_and_the_state_stays(stack: Stack, proxy: ApiProxy) -> None:
    before, proxy.down_after = stack.resources(), 1
    for command in (["up", "--all"], ["drift"], ["status"]):
        done = stack.siteforge(*command, check=False)
        assert done.returncode == 1, (command, done.stdout)
        assert "can't be asked" in done.stderr
        assert "Traceback" not in done.stderr
    assert proxy.dropped
    proxy.reset()
    assert stack.resources() == before
    converged(stack)


@pytest.mark.parametrize("moment", [30, 70])
def test_a_server_that_goes_down_in_the_middle_loses_nothing(stack: Stack, proxy: ApiProxy, moment: int) -> None:
    uids = {name: uid(name) for name in NAMES}
    stack.catalogue(declared(f"A site {moment}"))
    proxy.down_after = moment
    done = stack.siteforge("up", "--all", "--timeout", "20", check=False)
    assert proxy.dropped, f"the run made {proxy.requests} requests only"
    assert done.returncode == 1, done.stdout
    assert "Traceback" not in done.stderr
    proxy.reset()
    converged(stack)
    assert {name: uid(name) for name in NAMES} == uids


def uid(name: str) -> str:
    """Of what must not be made anew: the database's claim."""
    return kubectl("get", "persistentvolumeclaim/mariadb", "-n", name, "-o", "jsonpath={.metadata.uid}")

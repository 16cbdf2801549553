"""What runs a site is broken piece by piece, while it is visited and written on: no acknowledged post is lost.

In a cluster of its own, as others' sites would suffer with it.
"""

import json
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.clone import Clone
from tests.support.load import Load
from tests.support.platform import Platform
from tests.support.site import Site
from tests.support.waiting import eventually
from tests.support.writer import REFUSALS, Writer

TENANT, NEIGHBOUR = "blog-aku", "shop-lumi"
NODE = "siteforge"

_BACK_SECONDS = 180.0
_PROBED_SECONDS = 15.0
"""Enough for the readiness probes to find a pod unready."""
_OUTAGE_SECONDS = 90.0
"""Of a single pod that has to start again: three times what it takes on two busy cores."""


@pytest.fixture(scope="module")
def served(clone: Clone) -> Clone:
    """The clone, its tenants served."""
    clone.shell("make up", deadline=900)
    return clone


@pytest.fixture(scope="module")
def platform(served: Clone) -> Platform:
    return Platform(served)


@pytest.fixture(scope="module")
def site(served: Clone) -> Site:
    return served.site(TENANT)


@pytest.fixture
def all_is_well(served: Clone, site: Site) -> Iterator[None]:
    """Each test begins with pods that are ready, and sees them be so again."""
    yield
    for tenant in (TENANT, NEIGHBOUR):
        pods_are_ready(served, tenant)


def pods_are_ready(served: Clone, tenant: str) -> None:
    for workload in ("statefulset/mariadb", "deployment/wordpress"):
        served.kubectl("rollout", "status", "-n", tenant, workload, f"--timeout={_BACK_SECONDS:.0f}s")


def suffers(what: str, site: Site, fault: Callable[[], None], *, outage: float) -> None:
    """Do something to a site that is visited and written on, wait until it answers, and count.

    Args:
        what: the fault, for what is printed.
        site: whose.
        fault: does it, and returns when it is over.
        outage: the longest time in seconds in which no visitor is answered; 0 if no request may fail.
    """
    with Load(site.address) as load, Writer(site, f"{what} {time.time_ns()}") as writer:
        eventually("a post", lambda: writer.acknowledged, seconds=60)
        fault()
        load.await_answer(_BACK_SECONDS)
        written = len(writer.acknowledged)
        eventually("another post", lambda: len(writer.acknowledged) > written, seconds=_BACK_SECONDS)
    lost = writer.lost()
    print(
        f"\n{what}: {load.requests} requests, {len(load.failures)} failed, outage {load.outage:.1f} s;"
        f" {len(writer.acknowledged)} posts acknowledged, {writer.refused} refused, {len(lost)} lost"
    )
    assert lost == set()
    if outage:
        assert load.outage < outage
    else:
        assert load.failures == []
        assert writer.refused == 0


@pytest.mark.parametrize(
    ("program", "number"),
    [
        ("etcd", signal.SIGTERM),
        ("etcd", signal.SIGKILL),
        ("kube-apiserver", signal.SIGKILL),
        ("kube-controller-manager", signal.SIGKILL),
        ("kube-scheduler", signal.SIGKILL),
        ("containerd", signal.SIGKILL),
        ("kubelet", signal.SIGKILL),
        ("kube-proxy", signal.SIGKILL),
    ],
)
def test_a_program_of_the_cluster_that_ends_is_started_again_and_no_request_fails(
    platform: Platform, site: Site, all_is_well: None, program: str, number: int
) -> None:
    suffers(f"{program} {signal.Signals(number).name}", site, lambda: platform.kill(program, number), outage=0)


@pytest.mark.parametrize("role", ["wordpress", "mariadb"])
def test_an_evicted_pod_comes_back_by_itself_with_every_post(
    served: Clone, site: Site, all_is_well: None, role: str
) -> None:
    label = f"app.kubernetes.io/name={role}"
    pod = served.kubectl("get", "pods", "-n", TENANT, "-l", label, "-o", "jsonpath={.items[0].metadata.name}")
    asked = {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": pod, "namespace": TENANT}}
    path = f"/api/v1/namespaces/{TENANT}/pods/{pod}/eviction"

    def evict() -> None:
        served.kubectl("create", "--raw", path, "-f", "-", stdin=json.dumps(asked))
        served.kubectl("wait", "-n", TENANT, f"pod/{pod}", "--for=delete", f"--timeout={_BACK_SECONDS:.0f}s")
        pods_are_ready(served, TENANT)

    suffers(f"{role} evicted", site, evict, outage=_OUTAGE_SECONDS)


@pytest.mark.parametrize("role", ["wordpress", "mariadb"])
def test_a_pod_killed_for_want_of_memory_comes_back_by_itself_with_every_post(
    served: Clone, platform: Platform, site: Site, all_is_well: None, role: str
) -> None:
    path = "jsonpath={.items[0].status.containerStatuses[0].lastState.terminated.reason}"
    label = f"app.kubernetes.io/name={role}"

    def take() -> None:
        platform.exhaust_memory(TENANT, role)
        eventually(
            "the kubelet to say so",
            lambda: served.kubectl("get", "pods", "-n", TENANT, "-l", label, "-o", path) == "OOMKilled",
        )

    suffers(f"{role} OOM-killed", site, take, outage=_OUTAGE_SECONDS)


@pytest.mark.faults
def test_a_minute_without_the_controller_manager_is_not_noticed_by_who_visits(
    served: Clone, platform: Platform, site: Site, all_is_well: None
) -> None:
    """Nobody makes new pods in that time: one that is deleted comes back afterwards, by itself."""
    neighbour = served.site(NEIGHBOUR)
    neighbour.post("Before the minute")

    def wait() -> None:
        with platform.without("kube-controller-manager"):
            served.kubectl("delete", "pod", "-n", NEIGHBOUR, "-l", "app.kubernetes.io/name=mariadb", "--wait=false")
            time.sleep(60)
            left = served.kubectl("get", "pods", "-n", NEIGHBOUR, "-l", "app.kubernetes.io/name=mariadb", "-o", "name")
            assert left == ""
        pods_are_ready(served, NEIGHBOUR)

    suffers("controller manager down for a minute", site, wait, outage=0)
    eventually("the neighbour's posts", lambda: "Before the minute" in neighbour.posts(), seconds=_BACK_SECONDS)


@pytest.mark.faults
def test_a_node_that_falls_silent_takes_its_sites_down_and_brings_them_back(
    served: Clone, platform: Platform, site: Site, all_is_well: None
) -> None:
    """It is the only real one: there is nowhere to go, and pods of a node that does not report get no visitors."""
    path = 'jsonpath={.status.conditions[?(@.type=="Ready")].status}'

    def unknown() -> bool:
        return served.kubectl("get", "node", NODE, "-o", path) == "Unknown"

    def fall_silent() -> None:
        with platform.without("kubelet"):
            eventually("the node to be unknown", unknown, seconds=180)
            said = served.shell(f'eval "$(make -s env)"; siteforge status {TENANT} || true')
            assert f"its node does not report ({NODE})" in said

    suffers("node silent", site, fall_silent, outage=300)


SMALL = "e2e-small"


@pytest.fixture
def cramped(served: Clone, platform: Platform, tmp_path: Path) -> Iterator[Site]:
    """The site of a tenant whose two volumes are file systems with an end, unlike the local class's folders."""
    volumes = {"database": 256, "content": 128}
    storage_class = {
        "apiVersion": "storage.k8s.io/v1",
        "kind": "StorageClass",
        "metadata": {"name": SMALL},
        "provisioner": "kubernetes.io/no-provisioner",
        "volumeBindingMode": "WaitForFirstConsumer",
    }
    served.kubectl("apply", "-f", "-", stdin=json.dumps(storage_class))
    for name, mebibytes in volumes.items():
        platform.mount(f"/run/{SMALL}/{name}", mebibytes)
        terms = [{"matchExpressions": [{"key": "kubernetes.io/hostname", "operator": "In", "values": [NODE]}]}]
        volume = {
            "apiVersion": "v1",
            "kind": "PersistentVolume",
            "metadata": {"name": f"{SMALL}-{name}"},
            "spec": {
                "capacity": {"storage": f"{mebibytes}Mi"},
                "accessModes": ["ReadWriteOnce"],
                "storageClassName": SMALL,
                "hostPath": {"path": f"/run/{SMALL}/{name}"},
                "nodeAffinity": {"required": {"nodeSelectorTerms": terms}},
            },
        }
        served.kubectl("apply", "-f", "-", stdin=json.dumps(volume))
    stack = served.stack(tmp_path / "stack", "small")
    tenant: dict[str, Any] = {"name": SMALL, "title": "Little room", "adminEmail": "small@example.com", "plan": "nano"}
    for part, name in (("database", "database"), ("wordpress", "content")):
        tenant[part] = {"volume": {"storageClass": SMALL, "size": f"{volumes[name]}Mi"}}
    stack.catalogue(json.dumps({"tenants": [tenant]}))
    try:
        stack.up()
        address = served.kubectl("get", "service", "wordpress", "-n", SMALL, "-o", "jsonpath={.spec.clusterIP}")
        yield Site(SMALL, stack.output("adminPasswords")[SMALL], address)
    finally:
        stack.destroy()
        served.kubectl("delete", "pv", *(f"{SMALL}-{name}" for name in volumes), "--ignore-not-found")
        served.kubectl("delete", "storageclass", SMALL, "--ignore-not-found")
        for name in volumes:
            platform.inside("umount", f"/run/{SMALL}/{name}")


@pytest.mark.faults
def test_full_disks_refuse_what_is_written_and_lose_nothing_of_what_was(
    served: Clone, platform: Platform, cramped: Site
) -> None:
    """Of the database and of wp-content; visitors go on reading, and with room again all goes on by itself."""
    fillers = [f"/run/{SMALL}/{folder}/filler" for folder in ("database/mysql", "content")]

    def fill() -> None:
        for filler in fillers:
            platform.inside("sh", "-c", f"cat /dev/zero > {filler} || true")
        # Small posts fit into pages that the tables have already.
        for number in range(60):
            try:
                cramped.post(f"Large {number}", "x" * 500_000)
            except REFUSALS:
                break
        else:
            raise AssertionError("30 MB of posts on a full disk were acknowledged")
        try:
            cut = cramped.upload("full.txt", b"x" * 100_000)
            print(f"an upload to the full disk is acknowledged, and has {len(cramped.get(cut).body)} of 100000 bytes")
        except REFUSALS as error:
            print(f"an upload to the full disk is refused: {error}")
        time.sleep(_PROBED_SECONDS)
        for filler in fillers:
            platform.inside("rm", filler)

    path = cramped.upload("before.txt", b"kept")
    suffers("disks full", cramped, fill, outage=_PROBED_SECONDS)
    assert cramped.get(path).body == "kept"
    assert cramped.get(cramped.upload("after.txt", b"room again")).body == "room again"

import time

from tests.support.commands import kubectl
from tests.support.load import Load
from tests.support.site import Site
from tests.support.stack import Stack
from tests.support.waiting import eventually

NAMESPACE = "e2e-blog"
READY = "jsonpath={.items[*].endpoints[?(@.conditions.ready==true)].addresses[0]}"


def ready_endpoints() -> list[str]:
    slices = ["get", "endpointslices", "-n", NAMESPACE, "-l", "kubernetes.io/service-name=wordpress", "-o", READY]
    return kubectl(*slices).split()


def restarts() -> str:
    path = "jsonpath={.items[*].status.containerStatuses[*].restartCount}"
    return kubectl("get", "pods", "-n", NAMESPACE, "-l", "app.kubernetes.io/name=wordpress", "-o", path)


def test_a_lost_database_takes_the_site_out_of_its_service_without_killing_it(blog: Stack, site: Site) -> None:
    assert len(ready_endpoints()) == 1
    # The pod of an earlier rollout may still be going.
    eventually("one pod", lambda: len(restarts().split()) == 1, namespace=NAMESPACE)
    before = restarts()
    kubectl("scale", "-n", NAMESPACE, "statefulset/mariadb", "--replicas=0")
    eventually("the Service to have no endpoint", lambda: ready_endpoints() == [], namespace=NAMESPACE)
    blog.up()
    eventually("the Service to have its endpoint back", ready_endpoints, namespace=NAMESPACE)
    eventually("the site", lambda: site.serves("Blog of the tests"), namespace=NAMESPACE)
    assert restarts() == before


def test_a_pod_that_is_not_installed_yet_gets_no_traffic(blog: Stack, site: Site) -> None:
    """A new pod whose database does not answer waits in its first container; the old one goes on serving."""
    # The database was just started anew: on a busy machine its own probes may still take it out for a moment.
    eventually("a steady site", lambda: all(site.serves() for _ in range(20)), namespace=NAMESPACE)
    with Load(site.address) as load:
        kubectl("set", "env", "-n", NAMESPACE, "deployment/wordpress", "WORDPRESS_DB_HOST=nowhere", "-c", "install")
        time.sleep(10)
        assert len(ready_endpoints()) == 1
        blog.up()
    assert load.failures == []


def test_the_outage_of_a_database_restart_is_seconds(blog: Stack, site: Site) -> None:
    """docs/updates.md quotes the figure that this prints."""
    with Load(site.address) as load:
        kubectl("rollout", "restart", "-n", NAMESPACE, "statefulset/mariadb")
        kubectl("rollout", "status", "-n", NAMESPACE, "statefulset/mariadb", "--timeout=120s")
        eventually("the site", lambda: site.serves() and ready_endpoints(), namespace=NAMESPACE)
        load.await_answer()
    print(f"a database restart: {load.outage:.1f} s, {len(load.failures)} of {load.requests} requests failed")
    assert 0.5 < load.outage < 30

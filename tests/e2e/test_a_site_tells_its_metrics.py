import http.client
import re

from tests.e2e.conftest import BLOG, REACHED
from tests.support import prometheus
from tests.support.commands import kubectl
from tests.support.site import Site
from tests.support.stack import Stack

_PORT = 9117


def pod(namespace: str, path: str) -> str:
    label = "app.kubernetes.io/name=wordpress"
    return kubectl("get", "pods", "-n", namespace, "-l", label, "-o", f"jsonpath={{.items[0]{path}}}")


def scrape(path: str = "/metrics", **headers: str) -> str:
    """What a pod of the site answers at the port; this machine is its node, which always reaches it."""
    connection = http.client.HTTPConnection(pod(REACHED, ".status.podIP"), _PORT, timeout=60)
    try:
        connection.request("GET", path, headers=headers)
        answer = connection.getresponse()
        assert answer.status == 200
        return answer.read().decode()
    finally:
        connection.close()


def test_a_scraper_reads_apache_php_and_wordpress(reached_stack: Stack) -> None:
    first = scrape()
    assert prometheus.lint(first) == ""
    found = dict(re.findall(r"^(siteforge_site_[^ ]+) (.*)$", first, re.MULTILINE))
    assert found["siteforge_site_apache_up"] == "1"
    assert int(found['siteforge_site_apache_workers{state="busy"}']) >= 1
    image = kubectl("get", "deployment/wordpress", "-n", REACHED, "-o", "jsonpath={..containers[0].image}")
    (version,) = re.findall(r'wordpress_info{version="(.*)"}', first)
    assert version in image
    before = int(found["siteforge_site_apache_requests_total"])
    for _ in range(5):
        Site(REACHED).get("/siteforge-health.php")
    (after,) = re.findall(r"^siteforge_site_apache_requests_total (.*)$", scrape(), re.MULTILINE)
    assert int(after) >= before + 5


def test_nobody_learns_who_visits(reached_stack: Stack) -> None:
    Site(REACHED).get("/siteforge-health.php?hunter2")
    # Whatever is asked for, and whoever it says to be.
    for path in ("/metrics", "/server-status", "/?auto", "/wp-login.php"):
        told = scrape(path, **{"X-Forwarded-For": "127.0.0.1", "Host": "127.0.0.1:9118"})
        assert "hunter2" not in told
        assert "siteforge_site_apache_up 1" in told
    assert Site(REACHED).get("/server-status", headers={"Host": "lumi.example.com"}).status != 200


def test_a_site_of_a_stack_that_names_no_scraper_has_no_such_port(blog: Stack) -> None:
    ports = pod(BLOG, ".spec.containers[*].ports[*].name")
    assert ports == "http"
    rules = kubectl("get", "networkpolicy", "-n", BLOG, "-o", "jsonpath={..ingress[*].ports[*].port}")
    assert str(_PORT) not in rules.split()

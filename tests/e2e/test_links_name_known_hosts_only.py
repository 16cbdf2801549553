import http.client

import pytest

from tests.support.site import Site

SERVICE = "wordpress.e2e-blog.svc.cluster.local"


def front_page(site: Site, host: str) -> str:
    """The page, or where the answer redirects to."""
    connection = http.client.HTTPConnection(site.address, 80, timeout=20)
    try:
        connection.request("GET", "/", headers={"Host": host})
        answer = connection.getresponse()
        return answer.headers.get("Location", "") + answer.read().decode()
    finally:
        connection.close()


@pytest.mark.parametrize(
    "host", ["localhost:8080", "127.0.0.1:8080", "10.1.2.3", "wordpress.e2e-blog", SERVICE, "[::1]"]
)
def test_a_way_to_the_service_that_needs_no_domain_is_kept_in_links(site: Site, host: str) -> None:
    assert f"http://{host}/" in front_page(site, host)


@pytest.mark.parametrize(
    "host",
    ["evil.example", "evil.example:80", "8.8.8.8", "wordpress.e2e-blog.evil.example", "mariadb", "localhost.evil"],
)
def test_a_strangers_host_name_gets_into_no_link(site: Site, host: str) -> None:
    page = front_page(site, host)
    assert f"//{host}" not in page
    assert f"http://{SERVICE}/" in page

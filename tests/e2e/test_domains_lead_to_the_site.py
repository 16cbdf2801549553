"""Asked as an ingress controller asks: by the Service, with the visitor's Host and X-Forwarded-Proto."""

import json

import pytest

from tests.e2e.conftest import DOMAINS, REACHED
from tests.support.commands import kubectl
from tests.support.site import Answer, Site
from tests.support.stack import Stack

FIRST, SECOND = DOMAINS
SITE = Site(REACHED)


def ask(host: str, path: str = "/", proto: str = "https", method: str = "GET") -> Answer:
    return SITE.get(path, method=method, headers={"Host": host, "X-Forwarded-Proto": proto})


@pytest.mark.parametrize("host", [FIRST, FIRST.upper(), f"{FIRST}:443", f"{FIRST}."])
def test_the_first_domain_answers_with_links_to_itself_over_tls(reached_stack: Stack, host: str) -> None:
    answer = ask(host)
    assert answer.status == 200
    assert f"https://{FIRST}/" in answer.body
    assert "http://lumi" not in answer.body


@pytest.mark.parametrize("path", ["/", "/a/b/?x=1&y=%2F&z=a+b", "/wp-login.php", "//evil.example/"])
def test_another_domain_redirects_to_the_first_with_path_and_query(reached_stack: Stack, path: str) -> None:
    answer = ask(SECOND, path)
    assert (answer.status, answer.headers["location"]) == (301, f"https://{FIRST}{path}")


def test_a_visitor_without_tls_is_sent_to_it(reached_stack: Stack) -> None:
    answer = ask(FIRST, "/a?b=c", proto="http")
    assert (answer.status, answer.headers["location"]) == (301, f"https://{FIRST}/a?b=c")


def test_what_is_no_plain_visit_keeps_its_method(reached_stack: Stack) -> None:
    assert ask(SECOND, "/xmlrpc.php", method="POST").status == 308


def test_the_administrator_gets_in_over_tls_without_going_round_in_circles(reached_stack: Stack) -> None:
    login = ask(FIRST, "/wp-admin/").headers["location"]
    assert login.startswith(f"https://{FIRST}/wp-login.php")
    assert ask(FIRST, "/wp-login.php").status == 200


@pytest.mark.parametrize("host", [*DOMAINS, "10.0.0.7"])
@pytest.mark.parametrize("proto", ["http", "https"])
def test_a_probe_follows_no_redirect(reached_stack: Stack, host: str, proto: str) -> None:
    for query in ("", "?ready"):
        assert ask(host, f"/siteforge-health.php{query}", proto).status == 200


def test_ways_that_need_no_domain_stay(reached_stack: Stack) -> None:
    for host in ("localhost:8080", f"wordpress.{REACHED}", f"wordpress.{REACHED}.svc.cluster.local"):
        answer = SITE.get(headers={"Host": host})
        assert answer.status == 200
        assert f"http://{host}/" in answer.body


def test_a_strangers_host_name_gets_into_no_link(reached_stack: Stack) -> None:
    answer = ask("evil.example")
    assert "//evil.example" not in answer.body + answer.headers.get("location", "")
    assert FIRST in answer.body


def test_the_ingress_has_every_domain_and_the_outputs_the_first(reached_stack: Stack) -> None:
    ingress = json.loads(kubectl("get", "ingress", "wordpress", "-n", REACHED, "-o", "json"))
    assert [rule["host"] for rule in ingress["spec"]["rules"]] == DOMAINS
    tenant = reached_stack.output("tenants")[REACHED]
    assert (tenant["url"], tenant["domains"]) == (f"https://{FIRST}", DOMAINS)


def test_the_second_up_and_a_refresh_are_all_unchanged(reached_stack: Stack) -> None:
    assert set(reached_stack.up().counts) == {"unchanged"}
    assert set(reached_stack.refresh().counts) == {"unchanged"}
    assert set(reached_stack.preview().counts) == {"unchanged"}

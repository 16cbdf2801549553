"""What needs no cluster; restores themselves are tested on one (tests/e2e/test_a_backup_brings_a_site_back.py)."""

import pytest

from siteforge.fleet.archives import About
from siteforge.fleet.restore import addresses
from tests.support.blueprints import make


def about(url: str) -> About:
    return About("old", "2026-11-29T08:15:00Z", "wordpress:6.8", "6.8", "mariadb:11.4", url, False)


@pytest.mark.parametrize(("url", "public"), [("", set()), ("https://old.example.com", {"old.example.com"})])
def test_every_host_that_a_site_was_reached_at_becomes_the_new_ones_address(url: str, public: set[str]) -> None:
    inside = {"wordpress.old", "wordpress.old.svc", "wordpress.old.svc.cluster.local"}
    found = addresses(about(url), make(domains=["aku.example.com", "www.aku.example.com"]))
    assert found == dict.fromkeys(inside | public, "http://aku.example.com")


def test_a_tenant_without_domains_has_the_address_of_its_service() -> None:
    found = addresses(about("https://old.example.com"), make())
    assert set(found.values()) == {"http://wordpress.blog-aku.svc.cluster.local"}

import dataclasses
import html
import re
from datetime import UTC, datetime

from siteforge.fleet import report
from siteforge.fleet.diagnosis import Cause, Reason
from siteforge.fleet.differences import Actor, Difference
from siteforge.fleet.history import Entry
from siteforge.fleet.status import Condition, Happening, LogEnd, TenantStatus, status
from tests.support import namespaces
from tests.support.blueprints import make

NOW = datetime(2026, 11, 30, tzinfo=UTC)
HOSTILE = "</pre><script>alert(1)</script>"


def tenant(name: str) -> TenantStatus:
    return status(make(name=name, domains=[f"{name}.example.com"]), "dev", namespaces.seen(namespaces.healthy(name)))


def failing(name: str) -> TenantStatus:
    return dataclasses.replace(
        tenant(name),
        condition=Condition.DEGRADED,
        reasons=(Reason(Cause.CRASH_LOOP, "pod/wordpress-1", "wordpress", "exit code 1, 3 restarts"),),
        events=(Happening(namespaces.STARTED, "Warning", "BackOff", "pod/wordpress-1", HOSTILE, 3),),
        logs=(LogEnd("wordpress-1", "wordpress", (HOSTILE,)),),
    )


def test_it_tells_of_every_tenant_and_needs_nothing_from_elsewhere() -> None:
    page = report.page([tenant("blog"), failing("shop")], "siteforge, dev", NOW)
    assert re.findall(r"<strong>(\w+)</strong>", page) == ["blog", "shop"]
    assert "1 of 2 tenants ready on 2026-11-30 00:00 UTC" in page
    assert html.escape("it ends again and again") in page
    links = set(re.findall(r"""(?:src|href|url|@import)\s*[=(]\s*["']?([^"')\s>]+)""", page))
    assert links == {"http://blog.example.com", "http://shop.example.com"}


def test_what_a_site_writes_is_text() -> None:
    page = report.page([failing("shop")], HOSTILE, NOW)
    assert page.count("<script>") == 1
    assert page.count(html.escape(HOSTILE)) >= 3


def test_the_history_of_drift_is_counted_and_its_newest_entries_are_told() -> None:
    assert "Drift found" not in report.page([tenant("blog")], "siteforge, dev", NOW)
    label = Difference("Service", "wordpress", "added", HOSTILE, by=Actor("kubectl", "Update", "", ""))
    entries = [
        Entry(f"blog-{number}", label, f"2026-11-{number % 29 + 1:02}T00:00:00Z", "gone", "2026-11-29T12:00:00Z")
        for number in range(60)
    ]
    page = report.page([tenant("blog")], "siteforge, dev", NOW, entries)
    assert '<svg class="neutral" viewBox="0 0 240 70" role="img" aria-label="Drift found">' in page
    assert page.index("blog-59 Service/wordpress: added") < page.index("blog-10 Service/wordpress: added")
    assert "blog-9 Service" not in page and "<script>alert" not in page
    assert "by kubectl</span> - gone" in page and "2026-11-29 12:00" in page


def test_a_fleet_of_none_is_a_page_too() -> None:
    assert "0 of 0 tenants ready" in report.page([], "siteforge, dev", NOW)


def test_bars_add_up() -> None:
    found = report.bars(["a", "b", "b", "b"], ["a", "b", "c"])
    assert [(bar.label, bar.count, bar.start, bar.share) for bar in found] == [
        ("a", 1, 0, 25),
        ("b", 3, 25, 75),
        ("c", 0, 100, 0),
    ]
    assert [round(bar.height) for bar in found] == [33, 100, 0]


def test_histograms_count_each_value_once() -> None:
    counts = {bar.label: bar.count for bar in report.shares([0, 0.25, 0.26, 1, 1.5])}
    assert counts == {"25 %": 2, "50 %": 1, "75 %": 0, "90 %": 0, "100 %": 1, "more": 1}
    counts = {bar.label: bar.count for bar in report.ages([0, 86401, 10**9])}
    assert counts == {"1 d": 1, "7 d": 1, "30 d": 0, "90 d": 0, "older": 1}

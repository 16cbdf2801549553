import dataclasses
import json
import re
from datetime import UTC, datetime
from pathlib import Path

import pytest

from siteforge.fleet import report
from siteforge.fleet.diagnosis import Cause, Reason
from siteforge.fleet.status import Condition, status
from tests.support import namespaces
from tests.support.blueprints import make
from tests.support.browser import Browser, corner
from tests.support.stack import Stack

OVERFLOW = "document.documentElement.dataset.overflow = document.documentElement.scrollWidth - innerWidth"


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Browser:
    return Browser(tmp_path_factory.mktemp("browser"))


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A page of tenants with 0 to 4 restarts, the third of which fails."""
    names = ["delta", "alpha", "echo", "bravo", "charlie"]
    tenants = [
        dataclasses.replace(
            status(make(name=name, domains=[f"{name}.example.com"]), "dev", namespaces.seen(namespaces.healthy(name))),
            restarts=number,
        )
        for number, name in enumerate(names)
    ]
    reason = Reason(Cause.CRASH_LOOP, "pod/wordpress-1", "wordpress", "exit code 1")
    tenants[2] = dataclasses.replace(tenants[2], condition=Condition.DEGRADED, reasons=(reason,))
    path = tmp_path_factory.mktemp("page") / "fleet.html"
    path.write_text(report.page(tenants, "siteforge, dev", datetime(2026, 11, 30, tzinfo=UTC)))
    return path


def shown(document: str) -> list[str]:
    """The tenants that the table shows, in its order."""
    rows = re.findall(r"<tr data-condition=[^>]*>.*?</tr>", document, re.DOTALL)
    return [row.split("<strong>")[1].split("</strong>")[0] for row in rows if " hidden" not in row.partition(">")[0]]


def test_the_report_of_a_fleet_shows_its_tenant(blog_stack: Stack, browser: Browser) -> None:
    path = blog_stack.folder / "fleet.html"
    assert blog_stack.siteforge("report", "--output-file", "fleet.html").stdout == "fleet.html: 1 tenant\n"
    assert shown(browser.document(path)) == ["e2e-blog"]
    told = blog_stack.siteforge("report", "--output-file", "fleet.html", "--output", "json").stdout
    assert json.loads(told) == {"file": "fleet.html", "tenants": 1}
    refused = blog_stack.siteforge("report", "-o", "there/is/none.html", check=False)
    assert (refused.returncode, refused.stdout) == (2, "")
    assert refused.stderr == "there/is/none.html can't be written (No such file or directory) - name another\n"


@pytest.mark.parametrize(
    ("state", "wanted"),
    {
        "sort=Restarts+descending": ["charlie", "bravo", "echo", "alpha", "delta"],
        "q=ends+again": ["echo"],
        "condition=Ready&sort=Tenant+descending": ["delta", "charlie", "bravo", "alpha"],
    }.items(),
)
def test_it_sorts_and_filters(browser: Browser, page: Path, state: str, wanted: list[str]) -> None:
    assert shown(browser.document(page, state)) == wanted


def test_a_click_on_a_head_sorts_by_it(browser: Browser, page: Path) -> None:
    click = "document.querySelectorAll('th')[0].click(); document.querySelectorAll('th')[0].click()"
    assert shown(browser.document(page, probe=click)) == ["echo", "delta", "charlie", "bravo", "alpha"]


def test_it_fits_a_phone(browser: Browser, page: Path) -> None:
    assert 'data-overflow="0"' in browser.document(page, probe=OVERFLOW, phone=True)


def test_it_is_dark_where_that_is_preferred(browser: Browser, page: Path) -> None:
    assert min(corner(browser.picture(page, "light"))) > 240
    assert max(corner(browser.picture(page, "dark", dark=True, phone=True))) < 40

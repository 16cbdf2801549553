"""An image that nobody has, deployed to a site that people are reading."""

from collections.abc import Iterator

import pytest

from tests.e2e.conftest import declare
from tests.support.load import Load
from tests.support.site import Site
from tests.support.stack import Stack

NAMESPACE = "e2e-blog"
MISSING = "127.0.0.1:1/there-is-none:1"
"""Of a registry that refuses at once."""


@pytest.fixture
def fleet(blog: Stack) -> Iterator[Stack]:
    """The shared stack, its readiness waited for by `siteforge up`."""
    blog.configure("readiness", "fleet")
    yield blog
    blog.configure("readiness", "pulumi")
    declare(blog)
    blog.up()


def test_a_bad_release_is_named_costs_no_request_and_is_over_when_its_line_is_reverted(
    fleet: Stack, site: Site
) -> None:
    declare(fleet, f'wordpress: {{image: "{MISSING}"}}')
    with Load(site.address) as load:
        done = fleet.siteforge("up", "--timeout", "20", check=False)
    assert done.returncode == 1
    said = done.stdout + done.stderr
    assert NAMESPACE in said
    assert MISSING in said
    assert (load.failures, load.requests > 20) == ([], True)

    declare(fleet)
    with Load(site.address) as load:
        fleet.siteforge("up", "--timeout", "120")
    assert (load.failures, load.requests > 20) == ([], True)
    assert fleet.siteforge("status", NAMESPACE).returncode == 0
    assert fleet.preview().updates == set()

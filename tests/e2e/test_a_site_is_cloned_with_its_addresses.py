import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.conftest import BLOG, declare
from tests.e2e.test_a_backup_is_one_moment import sql
from tests.support.commands import kubectl
from tests.support.site import Site
from tests.support.stack import Stack

TWIN = "e2e-twin"
OLD, NEW = f"http://wordpress.{BLOG}.svc.cluster.local", "https://twin.example.com"
LOOKALIKE = f"{OLD}.evil.org {OLD}:8080/ {OLD}-2/ http://other.example.com/?of=wordpress.{BLOG}.svc.cluster.local"


def text(value: str) -> str:
    """A text as PHP serialises it: with its length in bytes."""
    return f's:{len(value.encode())}:"{value}";'


def values(old: str) -> dict[str, str]:
    """What a site keeps in its database, with the address of the site as it was or is."""
    inner = f"a:1:{{i:0;{text(f'{old}/ü/日本')}}}"
    return {
        "plain": f"<a href='{old}/page'>{old}</a>, //{old.partition('//')[2]}/x.png",
        "json": json.dumps({"url": f"{old}/a"}).replace("/", "\\/"),
        "encoded": f"https://share.example.com/?u={old.replace('://', '%3A%2F%2F')}%2Fpage",
        "serialised": f"a:3:{{{text('url')}{text(old)}{text('n')}i:7;{text('nested')}{text(inner)}}}",
        "object": f'O:8:"stdClass":2:{{{text("a;}}s:5:")}{text(f"{old}/;}}")}{text("b")}b:1;}}',
    }


@pytest.fixture
def twin(blog: Stack) -> Iterator[Site]:
    """Another tenant of the same stack, with a domain."""
    path = blog.folder / "tenants.yaml"
    line = {"name": TWIN, "title": "The twin", "adminEmail": "twin@example.com", "plan": "nano"}
    more = line | {"domains": ["twin.example.com"], "tls": {"upstream": True}}
    path.write_text(f"{path.read_text()}\n  - {json.dumps(more)}\n")
    blog.siteforge("up", "--tenant", TWIN)
    yield Site(TWIN, blog.output("adminPasswords")[TWIN])
    declare(blog)
    blog.up()


def option(namespace: str, name: str) -> str:
    query = f"SELECT option_value FROM wp_options WHERE option_name = '{name}'"
    client = (
        'MYSQL_PWD="$(cat /opt/siteforge/secrets/root-password)" exec mariadb --user=root'
        ' --default-character-set=utf8mb4 --batch --raw --skip-column-names wordpress --execute="$1"'
    )
    found = kubectl("exec", "-n", namespace, "mariadb-0", "--", "sh", "-c", client, "sh", query)
    return found.removesuffix("\n")


def test_a_site_is_cloned_with_all_its_addresses_and_no_others(
    blog: Stack, site: Site, twin: Site, tmp_path: Path
) -> None:
    site.post("Shared by both")
    path = site.upload("shared.txt", b"shared")
    for name, value in (values(OLD) | {"lookalike": LOOKALIKE}).items():
        quoted = value.replace("\\", "\\\\").replace("'", "\\'")
        sql(f"REPLACE INTO wp_options (option_name, option_value) VALUES ('clone_{name}', '{quoted}')")

    done = blog.siteforge("clone", BLOG, TWIN, "--to", str(tmp_path))
    assert done.stdout.startswith(f"{TWIN} is as {BLOG} was on ")
    assert "sfg_" not in done.stdout + done.stderr

    for name, value in values(NEW).items():
        assert option(TWIN, f"clone_{name}") == value, name
    assert option(TWIN, "clone_lookalike") == LOOKALIKE
    for name, value in values(OLD).items():
        assert option(BLOG, f"clone_{name}") == value, "the site that was cloned is as it was"

    asked = {"Host": "twin.example.com", "X-Forwarded-Proto": "https"}
    page = twin.get("/", headers=asked)
    assert page.status == 200
    assert "The twin" in page.body
    assert BLOG not in page.body
    assert "Shared by both" in page.body
    assert twin.get(path, headers=asked).body == "shared"
    # The new tenant's own password, not that of the site it came from.
    assert "admin" in {*twin.users()}
    assert site.serves("Shared by both")
    blog.siteforge("drift", "--tenant", TWIN)


def test_a_backup_of_a_tenant_that_is_gone_is_put_into_another(
    blog: Stack, site: Site, twin: Site, tmp_path: Path
) -> None:
    site.post("Outlives its tenant")
    blog.siteforge("backup", BLOG, "--to", str(tmp_path))
    (tmp_path / BLOG).rename(tmp_path / "gone")
    refused = blog.siteforge("restore", "gone", "--at", "latest", "--from", str(tmp_path), check=False)
    assert (refused.returncode, refused.stdout) == (2, "")
    blog.siteforge("restore", "gone", "--at", "latest", "--as", TWIN, "--from", str(tmp_path), "--no-safety-backup")
    asked = {"Host": "twin.example.com", "X-Forwarded-Proto": "https"}
    assert "Outlives its tenant" in twin.get("/", headers=asked).body

"""Every generated secret, in every spelling, is looked for in everything that Pulumi prints and keeps."""

import base64
import urllib.parse
from pathlib import Path

import pytest

from siteforge.secrets import derive
from tests.e2e.conftest import SECRET
from tests.support.commands import kubectl
from tests.support.stack import Stack


def generated() -> set[str]:
    """The secrets of `e2e-blog` and the one they come from: as they are, in base64, URL-encoded."""
    known = derive(SECRET, "e2e-blog")
    plain = {known.database_password, known.database_root_password, known.admin_password, *known.salts.values()}
    plain.add(SECRET)
    encoded = {base64.b64encode(value.encode()).decode() for value in plain}
    return plain | encoded | {urllib.parse.quote(value, safe="") for value in plain | encoded}


def shown(text: str) -> set[str]:
    return {value for value in generated() if value in text}


def kept(folder: Path) -> str:
    """The text of every file below a folder."""
    return "\n".join(path.read_text(errors="replace") for path in folder.rglob("*") if path.is_file())


def test_the_search_finds_what_is_there(blog_stack: Stack) -> None:
    data = kubectl("get", "secret", "wordpress", "-n", "e2e-blog", "-o", "jsonpath={.data}")
    assert len(shown(data)) >= 10
    assert shown(blog_stack.pulumi("stack", "output", "--show-secrets").stdout)


@pytest.mark.parametrize("command", ["stack output --json", "stack export", "stack history --json"])
def test_no_secret_is_told_about_the_stack(blog_stack: Stack, command: str) -> None:
    done = blog_stack.pulumi(*command.split())
    assert len(done.stdout) > 100
    assert shown(done.stdout + done.stderr) == set()


@pytest.mark.parametrize("command", ["preview --diff --json", "up --yes --diff", "up --yes --debug --logtostderr -v=8"])
def test_no_secret_is_printed_while_secrets_change(blog: Stack, command: str) -> None:
    kubectl("patch", "-n", "e2e-blog", "secret/wordpress", "-p", '{"data": {"admin-password": "aHVudGVyMg=="}}')
    done = blog.pulumi(*command.split())
    assert "e2e-blog-wordpress-secret" in done.stdout
    assert shown(done.stdout + done.stderr) == set()


def test_no_secret_is_printed_by_a_failed_update(blog: Stack) -> None:
    blog.catalogue(
        """
        tenants:
          - name: e2e-blog
            title: Blog of the tests
            adminEmail: blog@example.com
            plan: nano
            database: {volume: {size: 512Mi}}
        """
    )
    kubectl("delete", "-n", "e2e-blog", "secret/wordpress", "secret/mariadb")
    failed = blog.up(check=False)
    assert failed.code != 0
    assert shown(failed.output) == set()


def test_no_secret_is_kept_in_the_state_its_history_or_its_backups(blog_stack: Stack) -> None:
    files = list((blog_stack.folder / "state").rglob("*.json*"))
    assert len(files) > 3
    assert shown(kept(blog_stack.folder)) == set()

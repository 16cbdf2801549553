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


COMMANDS = {
    "preview": ["preview", "--diff", "--json"],
    "stack output": ["stack", "output", "--json"],
    "stack export": ["stack", "export"],
    "stack history": ["stack", "history", "--json"],
    "up": ["up", "--yes", "--diff"],
    "up with every log there is": ["up", "--yes", "--logtostderr", "--logflow", "-v=11"],
}


@pytest.mark.parametrize("command", COMMANDS)
def test_no_secret_is_printed(blog: Stack, command: str) -> None:
    # Something differs, so that there is a difference to print: a Secret that somebody edited.
    kubectl("patch", "-n", "e2e-blog", "secret/wordpress", "-p", '{"data": {"admin-password": "aHVudGVyMg=="}}')
    done = blog.pulumi(*COMMANDS[command])
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

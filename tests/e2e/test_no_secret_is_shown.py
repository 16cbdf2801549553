"""Every generated secret, in every spelling, is looked for in everything that Pulumi prints and keeps."""

import base64
import contextlib
import os
import re
import urllib.parse
import zlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from local import workspace
from siteforge import debug_log
from siteforge.secrets import derive
from tests.e2e.conftest import BLOG, SECRET, declare
from tests.support.commands import kubectl, run
from tests.support.stack import Stack

# The format, to zlib: a log of a command that was killed ends in the midst, which `gzip.decompress` would refuse.
GZIP = 16 + zlib.MAX_WBITS


def in_base64(value: str) -> Iterator[str]:
    """What base64 has of a value, alone or in the midst of a longer text: there are three ways to be aligned."""
    for before in range(3):
        encoded = base64.b64encode(b"\0" * before + value.encode()).decode()
        yield encoded[-(-before * 8 // 6) : (before + len(value)) * 8 // 6]


def generated() -> set[str]:
    """The secrets of `e2e-blog` and the one they come from: as they are, in base64, URL-encoded."""
    known = derive(SECRET, BLOG)
    plain = {known.database_password, known.database_root_password, known.admin_password, *known.salts.values()}
    plain.add(SECRET)
    encoded = {spelled for value in plain for spelled in in_base64(value)}
    return plain | encoded | {urllib.parse.quote(value, safe="") for value in plain | encoded}


def shown(text: str) -> set[str]:
    return {value for value in generated() if value in text}


def kept(folder: Path) -> str:
    """The text of every file below a folder."""
    return "\n".join(path.read_text(errors="replace") for path in folder.rglob("*") if path.is_file())


def engine_logs() -> dict[str, bytes]:
    """The logs that Pulumi keeps, by name; a run that goes on renames its own as soon as it knows its stack."""
    logs = {}
    for path in (Path(workspace.environment(os.environ)["PULUMI_HOME"]) / "logs").iterdir():
        with contextlib.suppress(FileNotFoundError):
            logs[path.name] = path.read_bytes()
    return logs


def test_the_search_finds_what_is_there(blog_stack: Stack) -> None:
    data = kubectl("get", "secret", "wordpress", "-n", BLOG, "-o", "jsonpath={.data}")
    assert len(shown(data)) >= 10
    assert shown(blog_stack.pulumi("stack", "output", "--show-secrets").stdout)


@pytest.mark.parametrize("command", ["stack output --json", "stack export", "stack history --json"])
def test_no_secret_is_told_about_the_stack(blog_stack: Stack, command: str) -> None:
    done = blog_stack.pulumi(*command.split())
    assert len(done.stdout) > 100
    assert shown(done.stdout + done.stderr) == set()


@pytest.mark.parametrize("command", ["preview --diff --json", "up --yes --diff", "up --yes --debug --logtostderr -v=8"])
def test_no_secret_is_printed_while_secrets_change(blog: Stack, command: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(debug_log.VARIABLE, "yes")
    kubectl("patch", "-n", BLOG, "secret/wordpress", "-p", '{"data": {"admin-password": "aHVudGVyMg=="}}')
    done = blog.pulumi(*command.split())
    assert "e2e-blog-wordpress-secret" in done.stdout
    assert shown(done.stdout + done.stderr) == set()


def test_the_filter_leaves_no_secret_in_a_log_of_the_highest_verbosity(
    blog: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without it the engine shows them, from -v=9 on (docs/secrets.md): if it stops to, the filter has had its day."""
    monkeypatch.setenv(debug_log.VARIABLE, "yes")
    kubectl("patch", "-n", BLOG, "secret/wordpress", "-p", '{"data": {"admin-password": "aHVudGVyMg=="}}')
    done = blog.pulumi("up", "--yes", "--diff", "--debug", "--logtostderr", "--logflow", "-v=11")
    log = done.stdout + done.stderr
    assert shown(log) != set()
    filtered = run(["siteforge", "redact"], stdin=log).stdout
    assert shown(filtered) == set()
    assert log.count("\n") == filtered.count("\n")
    assert len(filtered) > len(log) / 2


def test_no_secret_is_readable_in_the_log_that_pulumi_keeps_by_itself(blog_stack: Stack) -> None:
    """It has everything at any verbosity: encrypted for commands that know a stack, only compressed for others."""
    logs = engine_logs()
    ours = [log for name, log in logs.items() if f"+{blog_stack.name}-" in name]
    assert ours
    assert {log[:4] for log in ours} == {b"PLOG"}
    for name, log in logs.items():
        written_by = re.match(r"pulumi-\w+-(\d+)", name)
        if written_by and not Path("/proc", written_by[1]).exists():
            assert shown(zlib.decompressobj(GZIP).decompress(log).decode(errors="replace")) == set()


def test_no_secret_is_printed_by_a_failed_update(blog: Stack) -> None:
    declare(blog, "database: {volume: {size: 512Mi}}")
    kubectl("delete", "-n", BLOG, "secret/wordpress", "secret/mariadb")
    failed = blog.up(check=False)
    assert failed.code != 0
    assert shown(failed.output) == set()


def test_no_secret_is_kept_in_the_state_its_history_or_its_backups(blog_stack: Stack) -> None:
    files = list((blog_stack.folder / "state").rglob("*.json*"))
    assert len(files) > 3
    assert shown(kept(blog_stack.folder)) == set()

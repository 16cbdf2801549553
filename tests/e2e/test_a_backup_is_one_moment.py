import contextlib
import io
import json
import signal
import subprocess
import tarfile
import threading
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from local import workspace
from tests.e2e.conftest import BLOG
from tests.support.commands import kubectl
from tests.support.site import Site
from tests.support.stack import Stack

_LOOKS = 10
"""Backups that are watched at most."""

LARGE = "wp-content/uploads/large.bin"


def pod() -> str:
    ready = "--field-selector=status.phase=Running"
    names = kubectl("get", "pods", "-n", BLOG, ready, "-l", "app.kubernetes.io/name=wordpress", "-o", "name")
    return names.split()[-1]


def inside(script: str) -> str:
    return kubectl("exec", "-n", BLOG, pod(), "-c", "wordpress", "--", "sh", "-c", script)


def sql(statement: str) -> None:
    client = 'MYSQL_PWD="$(cat /opt/siteforge/secrets/root-password)" exec mariadb --user=root wordpress --execute="$1"'
    kubectl("exec", "-n", BLOG, "mariadb-0", "--", "sh", "-c", client, "sh", statement)


def listed(stack: Stack, folder: Path) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(
        stack.siteforge("backups", BLOG, "--from", str(folder), "--output", "json").stdout
    )
    return found


def command_lines() -> str:
    """Those of all processes of this machine, on which the pods run."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            found.append(path.read_bytes().replace(b"\0", b" ").decode(errors="replace"))
        except OSError:
            continue
    return "\n".join(found)


@contextlib.contextmanager
def watched(seen: list[str]) -> Iterator[None]:
    """Note the command lines of all processes again and again."""
    done = threading.Event()

    def watch() -> None:
        while not done.is_set():
            seen.append(command_lines())

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        yield
    finally:
        done.set()
        watcher.join()


@pytest.fixture
def large_file(blog_stack: Stack) -> Iterator[None]:
    """A file that takes seconds to copy."""
    inside(f"mkdir -p wp-content/uploads && head -c 150000000 /dev/urandom > {LARGE}")
    yield
    inside(f"rm -f {LARGE}")


def test_a_backup_has_the_posts_and_files_of_its_moment_and_no_password(
    blog: Stack, site: Site, tmp_path: Path
) -> None:
    site.post("Saved for later")
    site.upload("saved.txt", b"saved")
    seen: list[str] = []
    # The dump of so small a database takes moments, and who looks from time to time may miss it.
    for number in range(_LOOKS):
        folder = tmp_path / str(number)
        with watched(seen):
            made = blog.siteforge("--log-level", "debug", "backup", BLOG, "--to", str(folder), "--output", "json")
        if any("mariadb-dump" in lines for lines in seen):
            break
    backup = json.loads(made.stdout)
    assert listed(blog, folder) == [backup]
    assert (backup["tenant"], backup["wordpress_version"]) == (BLOG, "6.1.9")
    with zipfile.ZipFile(backup["path"]) as archive:
        dump = archive.read("database.sql").decode()
        packed = io.BytesIO(archive.read("wp-content.tar"))
    assert "Saved for later" in dump
    with tarfile.open(fileobj=packed) as files:
        (name,) = [one for one in files.getnames() if one.endswith("saved.txt")]
        content = files.extractfile(name)
        assert content is not None
        assert content.read() == b"saved"
    assert any("mariadb-dump" in lines for lines in seen), "the dump was not seen: nothing is proved"
    assert "sfg_" not in made.stdout + made.stderr + "".join(seen)
    assert "Saved for later" in site.posts()


def test_a_backup_that_is_killed_is_not_listed_and_the_next_is_whole(
    blog: Stack, site: Site, large_file: None, tmp_path: Path
) -> None:
    command = ["siteforge", "backup", BLOG, "--to", str(tmp_path)]
    environment = workspace.environment({}) | blog.environment
    with subprocess.Popen(command, cwd=blog.folder, env=environment, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        assert any(line.endswith("files ...\n") for line in process.stderr)
        process.send_signal(signal.SIGKILL)
        assert process.wait(30) == -signal.SIGKILL
    assert [path.suffix for path in (tmp_path / BLOG).iterdir()] == [".part"]
    assert listed(blog, tmp_path) == []
    blog.siteforge("backup", BLOG, "--to", str(tmp_path))
    (backup,) = listed(blog, tmp_path)
    assert backup["parts"][1]["size"] > 150_000_000
    assert site.serves()


def test_what_changes_all_the_time_is_not_taken_for_one_moment(blog: Stack, tmp_path: Path) -> None:
    restless = "wp-content/uploads/restless.log"
    script = f"while [ ! -e /tmp/rest ]; do date >> {restless}; sleep 0.1; done"
    inside(f"rm -f /tmp/rest; mkdir -p wp-content/uploads; ({script}) > /dev/null 2>&1 &")
    try:
        done = blog.siteforge("backup", BLOG, "--to", str(tmp_path), check=False)
    finally:
        inside(f"touch /tmp/rest; sleep 1; rm -f {restless}")
    assert (done.returncode, done.stdout) == (1, "")
    assert f"files changed each time while they were copied ({restless}) - nothing was written" in done.stderr
    assert [*(tmp_path / BLOG).iterdir()] == []


def test_visitors_can_be_kept_out_meanwhile(blog: Stack, site: Site, large_file: None, tmp_path: Path) -> None:
    sql("CREATE TABLE old (a INT) ENGINE=Aria")
    try:
        refused = blog.siteforge("backup", BLOG, "--to", str(tmp_path), check=False)
        assert (refused.returncode, refused.stdout) == (1, "")
        assert "tables that can't be read as of one moment while the site runs: old" in refused.stderr
        command = ["siteforge", "backup", BLOG, "--maintenance", "--to", str(tmp_path)]
        environment = workspace.environment({}) | blog.environment
        with subprocess.Popen(command, cwd=blog.folder, env=environment, stderr=subprocess.PIPE, text=True) as process:
            assert process.stderr is not None
            assert any(line.endswith("files ...\n") for line in process.stderr)
            answer = site.get()
            assert answer.status == 503
            assert "maintenance" in answer.body.lower()
            assert process.wait(120) == 0
    finally:
        sql("DROP TABLE old")
    assert [one["maintenance"] for one in listed(blog, tmp_path)] == [True]
    assert site.serves()

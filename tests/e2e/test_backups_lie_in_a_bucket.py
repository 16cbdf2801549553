import json
import os
import re
import signal
import subprocess
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from local import workspace
from siteforge.fleet import archives, places
from siteforge.fleet.archives import DATABASE, FILES, About, Writer
from tests.e2e.conftest import BLOG, declare
from tests.support.s3 import BUCKET, S3
from tests.support.site import Site
from tests.support.stack import Stack

PLACE = f"s3://{BUCKET}/prod"
ABOUT = About("bare", "2026-11-29T08:15:00Z", "wordpress:6.8", "6.8", "mariadb:11.4", "", False)


@pytest.fixture(scope="module")
def s3(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3]:
    server = S3(tmp_path_factory.mktemp("s3"))
    yield server
    server.stop()


@pytest.fixture
def here(s3: S3, monkeypatch: pytest.MonkeyPatch) -> S3:
    """The same for code that runs in this process."""
    for name, value in s3.environment.items():
        monkeypatch.setenv(name, value)
    return s3


def listed(stack: Stack, s3: S3) -> list[str]:
    done = stack.siteforge("backups", BLOG, "--from", PLACE, "--output", "json", check=True, **s3.environment)
    return [one["time"] for one in json.loads(done.stdout)]


def test_a_site_comes_back_from_a_bucket(blog: Stack, site: Site, s3: S3) -> None:
    site.post("In the bucket")
    done = blog.siteforge("backup", BLOG, "--to", PLACE, "--output", "json", check=True, **s3.environment)
    taken = json.loads(done.stdout)
    assert taken["path"] == f"{PLACE}/{BLOG}/{taken['time'].replace(':', '')}.zip"
    assert s3.environment["AWS_SECRET_ACCESS_KEY"] not in done.stdout + done.stderr
    site.post("After it")
    blog.siteforge("restore", BLOG, "--at", "latest", "--from", PLACE, check=True, **s3.environment)
    assert "In the bucket" in site.posts()
    assert "After it" not in site.posts()
    assert len(listed(blog, s3)) == 2, "and what was there before the restore"


def test_a_round_takes_every_tenant_and_removes_old_ones_of_those_only(blog: Stack, s3: S3) -> None:
    line = {"title": "Another", "adminEmail": "a@example.com", "plan": "nano"}
    more = [line | {"name": "e2e-nowhere"}, line | {"name": "e2e-asleep", "suspended": True}]
    path = blog.folder / "tenants.yaml"
    path.write_text(path.read_text() + "".join(f"\n  - {json.dumps(one)}" for one in more))

    def backup_all(*arguments: str) -> dict[str, Any]:
        given = ["--all", "--to", PLACE, "--output", "json", *arguments]
        done = blog.siteforge("backup", *given, check=False, **s3.environment)
        assert done.returncode == 1
        report: dict[str, Any] = json.loads(done.stdout)
        assert [one["tenant"] for one in report["taken"]] == [BLOG]
        assert list(report["failed"]) == ["e2e-nowhere"]
        assert "e2e-nowhere: no pod of its database runs" in done.stderr
        assert list(report["skipped"]) == ["e2e-asleep"]
        return report

    before = listed(blog, s3)
    first = backup_all("--jobs", "3")
    assert first["removed"] == []
    second = backup_all("--keep", "1")
    assert len(second["removed"]) == len(before) + 1
    assert listed(blog, s3) == [second["taken"][0]["time"]]
    printed = blog.siteforge("metrics", "--once", "--backups", PLACE, check=True, **s3.environment).stdout
    told = re.findall(r'^siteforge_tenant_backup_timestamp_seconds{.*tenant="(.*)"} (.*)$', printed, re.MULTILINE)
    taken = datetime.fromisoformat(second["taken"][0]["time"]).timestamp()
    assert {name: float(value) for name, value in told} == {BLOG: taken, "e2e-nowhere": 0}
    declare(blog)


def test_what_is_not_complete_is_never_offered(here: S3) -> None:
    place = places.parse(f"s3://{BUCKET}/cut")
    with Writer(place, "bare") as writer:
        writer.add(DATABASE, [b"CREATE"])
        assert places.zips(place / "bare") == []
    assert places.zips(place / "bare") == []
    with Writer(place, "bare") as writer:
        writer.add(DATABASE, [b"CREATE"])
        writer.add(FILES, [bytes(range(256)) * 9000])
        whole = writer.finish(ABOUT)
    archives.find(place, "bare", ABOUT.time).verify()
    # Somebody else's upload, which had no end.
    object_ = here.bucket / "cut" / "bare" / "2026-11-29T081500Z.zip"
    content = object_.read_bytes()
    object_.with_name("2026-11-30T000000Z.zip").write_bytes(content[:-30])
    found, (problem,) = archives.listed(place, "bare")
    assert found == [whole]
    assert "no complete backup" in problem


def test_a_backup_of_several_parts_arrives_whole(here: S3) -> None:
    place = places.parse(f"s3://{BUCKET}/large")
    with Writer(place, "bare") as writer:
        writer.add(DATABASE, [b"CREATE"])
        writer.add(FILES, (os.urandom(2**20) for _ in range(20)))
        taken = writer.finish(ABOUT)
    assert taken.size > 2 * places.part_bytes(0)
    archives.find(place, "bare", ABOUT.time).verify()


def test_a_backup_that_is_killed_leaves_nothing_to_restore(blog: Stack, s3: S3) -> None:
    place = f"s3://{BUCKET}/killed"
    command = ["siteforge", "backup", BLOG, "--to", place]
    environment = workspace.environment({}) | blog.environment | s3.environment
    with subprocess.Popen(command, cwd=blog.folder, env=environment, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        assert any(line.endswith("files ...\n") for line in process.stderr)
        process.send_signal(signal.SIGKILL)
        process.wait(30)
    done = blog.siteforge("backups", BLOG, "--from", place, check=True, **s3.environment)
    assert (done.stdout, done.stderr) == ("", "")


@pytest.mark.parametrize(
    ("variables", "reason"),
    [
        ({"AWS_SECRET_ACCESS_KEY": "another"}, "403 Forbidden"),
        ({"AWS_ENDPOINT_URL": "http://127.0.0.1:1"}, "error sending request"),
    ],
)
def test_a_bucket_that_cannot_be_had_is_told_in_a_line(
    blog: Stack, s3: S3, variables: dict[str, str], reason: str
) -> None:
    given = s3.environment | variables
    done = blog.siteforge("backups", BLOG, "--from", PLACE, check=False, **given)
    assert (done.returncode, done.stdout) == (1, "")
    (line,) = done.stderr.splitlines()
    assert line.startswith(f"{PLACE}/{BLOG}: ")
    assert reason in line
    assert given["AWS_SECRET_ACCESS_KEY"] not in line


def test_credentials_in_an_address_are_refused_and_not_told_again(blog: Stack) -> None:
    done = blog.siteforge("backups", BLOG, "--from", "s3://key:hunter2@bucket/x", check=False)
    assert (done.returncode, done.stdout) == (2, "")
    assert "hunter2" not in done.stderr
    assert Path(blog.folder / "s3:").exists() is False

"""A stack whose state is in a store that speaks S3."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.conftest import SECRET
from tests.support.s3 import S3
from tests.support.simulated import catalogue, ready, tenant
from tests.support.stack import Stack

NAME = "e2e-in-s3"


@pytest.fixture
def server(tmp_path: Path) -> Iterator[S3]:
    server = S3(tmp_path / "s3")
    yield server
    server.stop()


@pytest.fixture
def stack(running_cluster: None, server: S3, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stack]:
    for name, value in server.environment.items():
        monkeypatch.setenv(name, value)
    stack = Stack(tmp_path / "in-s3", "in-s3", backend=server.backend)
    stack.pulumi("config", "set", "--secret", "siteforge:secret", stdin=SECRET)
    stack.configure("readiness", "fleet")
    stack.catalogue(catalogue([tenant(NAME)]))
    yield stack
    stack.pulumi("cancel", "--yes", check=False)
    stack.destroy()


def test_a_stack_is_made_from_a_bucket_and_locked_in_it(stack: Stack, server: S3) -> None:
    stack.siteforge("up")
    assert ready(NAME)
    (state,) = server.bucket.rglob("in-s3.json")
    assert "sfg_" not in state.read_text()
    assert set(stack.preview().counts) == {"unchanged"}
    # Of another run, which is under way or was killed.
    lock = server.bucket / ".pulumi" / "locks" / "organization" / "siteforge" / "in-s3" / "0.json"
    lock.parent.mkdir(parents=True, exist_ok=True)
    lock.write_text('{"pid": 1, "username": "somebody", "hostname": "elsewhere", "timestamp": "2026-11-29T00:00:00Z"}')
    refused = stack.siteforge("up", "--all", check=False)
    assert refused.returncode == 1
    assert "locked" in refused.stderr
    assert "Traceback" not in refused.stderr

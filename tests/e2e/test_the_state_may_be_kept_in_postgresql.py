"""A fleet whose state is in a real PostgreSQL: cells at once, the lock, a server that goes down in the middle."""

import json
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.commands import kubectl
from tests.support.postgres import Postgres
from tests.support.reconciler import running
from tests.support.simulated import catalogue, ready, tenant
from tests.support.stack import Stack
from tests.support.waiting import eventually

NAMES = ["e2e-pg-a", "e2e-pg-b"]
"""One in each half of the buckets."""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Postgres]:
    postgres = Postgres(tmp_path_factory.mktemp("postgres") / "server")
    yield postgres
    postgres.stop()


@pytest.fixture(scope="module")
def stack(running_cluster: None, server: Postgres, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    folder: Path = tmp_path_factory.mktemp("stacks") / "pg-one"
    stack = Stack(folder, "pg-one", backend=server.url)
    stack.pulumi("config", "set", "--secret", "siteforge:secret", stdin="a secret of the tests, long enough to be one")
    stack.configure("readiness", "fleet")
    lines(stack)
    stack.siteforge("cells", "add", "pg-two")
    yield stack
    for one in (stack, stack.beside("pg-two")):
        one.pulumi("cancel", "--yes", check=False)
        one.destroy()


def lines(stack: Stack, title: str = "A site") -> None:
    stack.catalogue(catalogue(tenant(name, title) for name in NAMES))


def test_two_cells_are_run_at_once(stack: Stack) -> None:
    report = json.loads(stack.siteforge("up", "--jobs", "2", "--output", "json").stdout)
    assert sorted((run["stack"], run["tenants"]) for run in report["runs"]) == [
        ("pg-one", [NAMES[0]]),
        ("pg-two", [NAMES[1]]),
    ]
    assert all(ready(name) for name in NAMES)


def test_of_two_runs_of_one_stack_one_is_refused_and_says_who_has_it(stack: Stack) -> None:
    lines(stack, "Another title")
    results: list[subprocess.CompletedProcess[str]] = []
    up = ["up", "--yes", "--skip-preview", "--suppress-progress"]
    threads = [threading.Thread(target=lambda: results.append(stack.pulumi(*up, check=False))) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    first, second = sorted(results, key=lambda done: done.returncode)
    if second.returncode == 0:
        pytest.fail("two runs of one stack went through: one has to wait or be refused")
    assert first.returncode == 0, first.stdout + first.stderr
    assert "locked" in second.stdout + second.stderr


@pytest.mark.faults
def test_a_server_that_goes_down_in_the_middle_costs_a_run_and_no_tenant(stack: Stack, server: Postgres) -> None:
    lines(stack, "A third title")
    results: list[subprocess.CompletedProcess[str]] = []
    thread = threading.Thread(target=lambda: results.append(stack.siteforge("up", check=False)))
    thread.start()
    time.sleep(3)
    server.kill()
    thread.join()
    server.start()
    (cut,) = results
    assert "Traceback" not in cut.stdout + cut.stderr
    for one in (stack, stack.beside("pg-two")):
        one.pulumi("cancel", "--yes", check=False)
    again = json.loads(stack.siteforge("up", "--output", "json").stdout)
    assert again["failed"] == {}
    assert all(ready(name) for name in NAMES)
    for name in NAMES:
        assert "A third title" in kubectl("get", "deployment/wordpress", "-n", name, "-o", "json")
    assert set(stack.preview().counts) == {"unchanged"}


@pytest.mark.faults
def test_the_lock_of_a_reconciler_that_was_killed_is_removed_by_the_next(stack: Stack, tmp_path: Path) -> None:
    lines(stack, "A fourth title")
    with running(stack, tmp_path / "first", "--mode", "repair") as first:
        eventually("Pulumi to run the program", first.runs_the_program, seconds=120, poll=0.1)
        first.kill()
    with running(stack, tmp_path / "second", "--mode", "repair") as second:
        eventually("both to be done", lambda: second.metric("reconciler_changed_tenants") == 0, seconds=300)
        assert "its lock is removed" in (tmp_path / "second").read_text()
    for name in NAMES:
        assert "A fourth title" in kubectl("get", "deployment/wordpress", "-n", name, "-o", "json")
    assert set(stack.preview().counts) == {"unchanged"}

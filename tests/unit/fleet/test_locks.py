import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from siteforge.fleet.locks import Lock, locks, told


@pytest.fixture
def engine(tmp_path: Path) -> Iterator["subprocess.Popen[bytes]"]:
    """A process that looks like an engine: the kernel knows a process by the name of its program."""
    program = tmp_path / "pulumi"
    program.symlink_to(sys.executable)
    process = subprocess.Popen([program, "-c", "import time; print(1, flush=True); time.sleep(60)"], stdout=-1)
    assert process.stdout and process.stdout.readline()
    yield process
    process.kill()
    process.communicate()


def lock(pid: int, *, host: str = "", since: datetime | None = None) -> Lock:
    return Lock(Path("a.json"), "aku", host or socket.gethostname(), pid, since or datetime.now(UTC))


def test_a_lock_of_a_living_engine_is_held(engine: "subprocess.Popen[bytes]") -> None:
    assert lock(engine.pid).holder() == "running"


def test_a_lock_of_a_killed_engine_is_nobodys_even_before_its_parent_took_note(
    engine: "subprocess.Popen[bytes]",
) -> None:
    engine.kill()
    time.sleep(0.1)
    assert Path(f"/proc/{engine.pid}").exists(), "it is a zombie"
    assert lock(engine.pid).holder() == "gone"
    engine.wait()
    assert lock(engine.pid).holder() == "gone"


def test_a_number_that_another_program_has_now_holds_nothing() -> None:
    assert lock(os.getpid()).holder() == "gone"


def test_a_number_that_a_later_engine_has_now_holds_nothing(engine: "subprocess.Popen[bytes]") -> None:
    assert lock(engine.pid, since=datetime.now(UTC) - timedelta(minutes=5)).holder() == "gone"


def test_nothing_is_known_of_a_process_on_another_machine(engine: "subprocess.Popen[bytes]") -> None:
    assert lock(engine.pid, host="elsewhere.example.com").holder() == "elsewhere"


def test_locks_are_read_as_pulumi_writes_them(tmp_path: Path) -> None:
    folder = tmp_path / ".pulumi" / "locks" / "organization" / "siteforge" / "prod"
    folder.mkdir(parents=True)
    text = '{"pid":4023,"username":"aku","hostname":"vm","timestamp":"2026-11-29T00:59:10.586101713+02:00"}'
    (folder / "682ace3e.json").write_text(text)
    (folder / "682ace3e.json.attrs").write_text("{}")
    (found,) = locks(tmp_path, "siteforge", "prod")
    assert (found.user, found.host, found.pid) == ("aku", "vm", 4023)
    assert str(found) == "aku@vm, process 4023, since 2026-11-28 22:59:10 UTC"
    assert locks(tmp_path, "siteforge", "another") == []


@pytest.mark.parametrize("text", ["", "{", "[]", json.dumps({"pid": "x"}), json.dumps({"pid": 1})])
def test_a_lock_that_cannot_be_read_is_held_by_nobody_knows_whom(tmp_path: Path, text: str) -> None:
    folder = tmp_path / ".pulumi" / "locks" / "organization" / "siteforge" / "prod"
    folder.mkdir(parents=True)
    (folder / "1.json").write_text(text)
    (found,) = locks(tmp_path, "siteforge", "prod")
    assert found.holder() == "unknown"
    assert str(folder / "1.json") in str(found)


def test_the_locks_are_read_from_what_pulumi_says_of_them() -> None:
    said = """error: the stack is currently locked by 2 lock(s). Either wait for the other process(es) to end or delete
postgres://db/.pulumi/locks/o/siteforge/prod/a.json: created by siteforge@pod-1 (pid 42) at 2026-11-29T00:00:01Z
s3://state/b.json: created by aku@laptop.local (pid 7) at 2026-11-29T02:00:00+02:00"""
    first, second = told(said)
    assert str(first) == "siteforge@pod-1, process 42, since 2026-11-29 00:00:01 UTC"
    assert str(second) == "aku@laptop.local, process 7, since 2026-11-29 00:00:00 UTC"
    assert told("error: no stack named prod") == []

"""The state: cut off, emptied, lost, on a disk that is full or read-only, behind another passphrase."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.e2e.conftest import MakeStack
from tests.support import simulated
from tests.support.commands import kubectl
from tests.support.faults import left_behind, recover
from tests.support.stack import Result, Stack

pytestmark = pytest.mark.faults

TENANT = "e2e-state"


@pytest.fixture(scope="module")
def stack(make_stack: MakeStack) -> Stack:
    """A stack of one tenant with simulated pods, which has run more than once."""
    made = make_stack("state")
    made.configure("readiness", "fleet")
    write(made)
    made.up()
    made.up()
    return made


def write(stack: Stack, title: str = "State") -> None:
    stack.catalogue(simulated.catalogue([simulated.tenant(TENANT, title=title)]))


@pytest.fixture
def sound(stack: Stack) -> Iterator[Stack]:
    """The same; after the test it must be as sound as before."""
    before = identities()
    yield stack
    write(stack)
    stack.up()
    assert identities() == before
    assert set(stack.preview().counts) == {"unchanged"}
    assert left_behind(stack) == []


def file(stack: Stack) -> Path:
    return stack.folder / "state" / ".pulumi" / "stacks" / "siteforge" / f"{stack.name}.json"


def identities() -> str:
    kinds = "deployment,statefulset,service,secret,pvc"
    return kubectl("get", kinds, "-n", TENANT, "-o", "jsonpath={.items[*].metadata.uid}")


def versions() -> str:
    """What any write, of whoever, would change."""
    kinds = "namespace,deployment,statefulset,service,secret,configmap,pvc,networkpolicy"
    path = "jsonpath={.items[*].metadata.resourceVersion}"
    return kubectl("get", kinds, "-A", "-l", f"app.kubernetes.io/instance={TENANT}", "-o", path)


BREAKS = {
    "cut off": lambda path: path.write_bytes(path.read_bytes()[: path.stat().st_size // 3]),
    "emptied": lambda path: path.write_bytes(b""),
    "zeroed": lambda path: path.write_bytes(b"\0" * path.stat().st_size),
    "an empty object": lambda path: path.write_text("{}"),
    "deleted": lambda path: path.unlink(),
}


@pytest.mark.parametrize("how", BREAKS)
def test_a_broken_state_is_restored_from_the_newest_good_copy(sound: Stack, how: str) -> None:
    path = file(sound)
    BREAKS[how](path)
    broken = path.read_bytes() if path.exists() else None
    kept = {*path.parent.glob("*.broken-*")}
    done = recover(sound)
    _, _, copies = done.stdout.partition("its copies, the newest first:\n")
    assert f"state: took {copies.split(':')[0].strip()}" in copies
    assert set(sound.preview().counts) == {"unchanged"}
    new = {*path.parent.glob("*.broken-*")} - kept
    assert [one.read_bytes() for one in new] == ([broken] if broken is not None else [])


def test_a_state_older_than_the_cluster_is_brought_up_to_it(sound: Stack) -> None:
    path = file(sound)
    # Only copies from before the tenant was made are left: nothing of it is in the state that is restored.
    for copy in [*path.parent.glob("*.bak"), *path.parents[2].glob("backups/*/*/*.json")]:
        copy.unlink()
    history = sorted(path.parents[2].glob("history/*/*/*.checkpoint.json"))
    for copy in history[1:]:
        copy.write_bytes(b"")
    path.write_bytes(b"")
    done = recover(sound)
    assert "not JSON" in done.stdout or ": empty" in done.stdout
    assert f"state: took {history[0]}" in done.stdout
    assert set(sound.preview().counts) == {"unchanged"}


def test_without_a_good_copy_recover_says_so_and_changes_nothing(sound: Stack) -> None:
    folder = sound.folder / "state" / ".pulumi"
    saved = sound.folder / "saved"
    subprocess.run(["cp", "-a", folder, saved], check=True)
    try:
        for path in [*folder.rglob("*.json"), *folder.rglob("*.bak")]:
            path.write_bytes(b"")
        before = versions()
        done = recover(sound, check=False)
        assert done.returncode == 1
        assert "no copy of it is good" in done.stderr
        assert "Traceback" not in done.stderr
        assert versions() == before
    finally:
        subprocess.run(["rm", "-rf", folder], check=True)
        saved.rename(folder)


@pytest.mark.parametrize("passphrase", ["wrong", None])
def test_without_the_passphrase_a_run_fails_before_the_cluster_is_touched(
    sound: Stack, passphrase: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(sound, title="Another title")
    before, state = versions(), file(sound).read_bytes()
    wrong = sound.folder / "wrong"
    wrong.write_text(passphrase or "")
    monkeypatch.setitem(sound.environment, "PULUMI_CONFIG_PASSPHRASE_FILE", str(wrong) if passphrase else "")
    result, done = sound.up(check=False), recover(sound, check=False)
    assert result.code != 0 and done.returncode == 1
    for output in (result.output, done.stderr):
        assert "passphrase" in output
        assert "Traceback" not in output
    assert versions() == before
    assert file(sound).read_bytes() == state


@contextmanager
def mounted(stack: Stack, free_kib: int, *, read_only: bool = False) -> Iterator[None]:
    """The state on a file system of its own, with so much room left."""
    state = stack.folder / "state"
    used = int(subprocess.run(["du", "-sk", state], capture_output=True, check=True).stdout.split()[0])
    copy = stack.folder / "copy"
    subprocess.run(["cp", "-a", state, copy], check=True)
    # A page a file, whatever its size.
    room = used + 4 * len([*state.rglob("*")]) + 1024
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={room}k", "tmpfs", state], check=True)
    try:
        subprocess.run(["cp", "-aT", copy, state], check=True)
        left = os.statvfs(state)
        if read_only:
            subprocess.run(["mount", "-o", "remount,ro", state], check=True)
        else:
            (state / "ballast").write_bytes(b"\0" * (left.f_bavail * left.f_frsize - free_kib * 1024))
        yield
        (state / "ballast").unlink(missing_ok=True)
        if not read_only:
            subprocess.run(["rm", "-rf", copy], check=True)
            subprocess.run(["cp", "-aT", state, copy], check=True)
    finally:
        subprocess.run(["umount", state], check=True)
    subprocess.run(["rm", "-rf", state], check=True)
    copy.rename(state)


def test_a_read_only_state_folder_is_told_and_the_last_good_state_loads(sound: Stack) -> None:
    write(sound, title="Another title")
    before = versions()
    with mounted(sound, 0, read_only=True):
        result = sound.up(check=False)
        told(result, "read-only file system")
        done = recover(sound, check=False)
        assert done.returncode == 1 and "read-only file system" in done.stderr
        assert versions() == before
        assert sound.resources()


def test_a_full_disk_is_told_and_the_last_good_state_loads(sound: Stack) -> None:
    write(sound, title="Another title")
    with mounted(sound, 24):
        result = sound.up(check=False)
        told(result, "no space left on device")
        assert sound.resources(), "the last good state"
        (sound.folder / "state" / "ballast").unlink()
        recover(sound)
        assert set(sound.preview().counts) == {"unchanged"}


def told(result: Result, reason: str) -> None:
    assert result.code != 0
    assert reason in result.output

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from local import locks
from local.steps import Failure


def test_who_waits_in_vain_is_told_for_whom_and_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(locks, "_WAIT_SECONDS", 0.0)
    path = tmp_path / "folder" / "lock"
    told = pytest.raises(Failure, match=f"process {os.getpid()}, which builds tool-1")
    with locks.held(path, "builds tool-1"), told as caught, locks.held(path, "builds tool-1"):
        pytest.fail("two hold it")
    assert f"kill {os.getpid()}" in caught.value.fix


def test_a_process_that_dies_leaves_no_lock(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "lock"
    script = f"""
from pathlib import Path
from local import locks
with locks.held(Path({str(path)!r}), "works"):
    print("held", flush=True)
    input()
"""
    root = Path(__file__).parents[2]
    pipe = subprocess.PIPE
    with subprocess.Popen([sys.executable, "-c", script], cwd=root, stdin=pipe, stdout=pipe, text=True) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        holder.kill()
    started = time.monotonic()
    with locks.held(path, "works"):
        assert path.read_text() == str(os.getpid())
    assert time.monotonic() - started < 5
    assert capfd.readouterr().err == ""

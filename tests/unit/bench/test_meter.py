import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from bench import meter
from local.paths import PROJECT


def measured(tmp_path: Path, script: str, deadline: float = 20, backend: Path | None = None) -> meter.Usage:
    """Measured in a process of its own, as the harness does: the meter takes over its process's children."""
    request: dict[str, Any] = {
        "argv": ["sh", "-c", script],
        "cwd": str(tmp_path),
        "environment": {"PATH": os.environ["PATH"]},
        "log": str(tmp_path / "log"),
        "deadline": deadline,
        "backend": str(backend) if backend else None,
    }
    done = subprocess.run(
        [sys.executable, "-m", "bench.meter"],
        cwd=PROJECT,
        input=json.dumps(request),
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    return meter.Usage(**json.loads(done.stdout))


def test_time_and_exit_code_are_the_commands(tmp_path: Path) -> None:
    usage = measured(tmp_path, "echo said; sleep 0.3; exit 3")
    assert usage.code == 3
    assert 0.3 <= usage.seconds < 5
    assert "said" in (tmp_path / "log").read_text()
    assert not usage.cut_off


SPIN = f'{sys.executable} -c "import time; e = time.process_time() + 0.1\nwhile time.process_time() < e: pass"'
"""So little, as what is left behind is ended after two seconds, and the machine may be busy with other tests."""


@pytest.mark.parametrize("script", [SPIN, f"{SPIN} & wait", f"({SPIN} &); true"], ids=["own", "child", "orphan"])
def test_cpu_of_every_descendant_counts(tmp_path: Path, script: str) -> None:
    assert 0.1 <= measured(tmp_path, script).cpu_seconds < 5


def test_memory_of_processes_that_run_together_is_added(tmp_path: Path) -> None:
    hold = f"{sys.executable} -c \"import time; held = b'x' * 60_000_000; time.sleep(1)\""
    assert measured(tmp_path, f"{hold} & {hold} & wait").peak_bytes > 120_000_000


def test_nothing_outlives_its_deadline(tmp_path: Path) -> None:
    started = time.monotonic()
    usage = measured(tmp_path, "sleep 9717.3 & sleep 9717.4", deadline=0.5)
    assert usage.cut_off
    assert time.monotonic() - started < 10
    assert subprocess.run(["pgrep", "-f", "sleep 9717[.][34]"], capture_output=True, check=False).stdout == b""


def test_what_a_tool_leaves_behind_is_ended(tmp_path: Path) -> None:
    usage = measured(tmp_path, "setsid sleep 9617.3 & true")
    assert usage.seconds < 1
    assert subprocess.run(["pgrep", "-f", "sleep 9617[.]3"], capture_output=True, check=False).stdout == b""


def test_bytes_of_the_backend_are_counted_each_time_they_are_written(tmp_path: Path) -> None:
    backend = tmp_path / "state"
    backend.mkdir()
    write = "head -c 1000 /dev/zero > state/new; mv state/new state/kept; sleep 0.1"
    deeper = "mkdir state/below; sleep 0.1; head -c 50 /dev/zero > state/below/file; sleep 0.1"
    usage = measured(tmp_path, f"{write}; {write}; {deeper}; echo > outside", backend=backend)
    assert usage.backend_bytes == 2050

import os
import subprocess
import sys
import time

import pytest

from bench.processes import Programs, name


@pytest.mark.parametrize(
    ("argv", "called"),
    [
        (["/opt/bin/pulumi", "up"], "pulumi"),
        (["/venv/bin/python3.11", "/opt/bin/pulumi-language-python-exec", "--x"], "pulumi-language-python-exec"),
        (["python", "-m", "pip", "list"], "pip"),
        (["sh"], "sh"),
        ([""], ""),
    ],
)
def test_a_program_is_called_by_what_it_is(argv: list[str], called: str) -> None:
    assert name(argv) == called


def test_a_program_that_has_ended_is_still_known_with_what_it_took() -> None:
    programs = Programs()
    held = "import sys; held = b'x' * 30_000_000; sum(range(5_000_000)); print(flush=True); sys.stdin.read()"
    with subprocess.Popen([sys.executable, "-c", held], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout and process.stdin
        process.stdout.readline()
        programs.sample([process.pid])
        process.stdin.close()
    programs.sample([process.pid])
    (found,) = programs.by_name().values()
    assert found.processes == 1
    assert found.cpu_seconds > 0.02
    assert found.peak_bytes > 30_000_000


def test_a_process_that_becomes_another_program_counts_as_that() -> None:
    programs = Programs()
    with subprocess.Popen(["sh", "-c", "exec sleep 60"]) as process:
        try:
            deadline = time.monotonic() + 20
            while "sleep" not in programs.by_name() and time.monotonic() < deadline:
                programs.sample([process.pid, os.getpid()])
            assert programs.by_name()["sleep"].processes == 1
        finally:
            process.kill()

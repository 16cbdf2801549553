import signal
import subprocess

from siteforge.secrets import derive
from tests.support.cli import PROGRAM

PASSWORD = derive("s" * 40, "blog-aku").admin_password


def redact(*lines: bytes) -> list[bytes]:
    done = subprocess.run([PROGRAM, "redact"], input=b"".join(lines), capture_output=True, timeout=60, check=True)
    assert done.stderr == b""
    return done.stdout.splitlines(keepends=True)


def test_a_log_comes_through_byte_by_byte_but_for_its_secrets() -> None:
    lines = [b"a\r\n", b"\xff\x00 \xc3\xa9\n", f"password={PASSWORD};\n".encode(), b"no end"]
    assert redact(*lines) == [*lines[:2], b"password=[secret];\n", lines[3]]


def test_what_comes_after_ctrl_c_still_comes_through() -> None:
    pipe = subprocess.PIPE
    with subprocess.Popen([PROGRAM, "redact"], stdin=pipe, stdout=pipe) as filter_:
        assert filter_.stdin is not None
        assert filter_.stdout is not None
        filter_.stdin.write(b"before\n")
        filter_.stdin.flush()
        assert filter_.stdout.readline() == b"before\n"
        filter_.send_signal(signal.SIGINT)
        filter_.stdin.write(b"after\n")
        filter_.stdin.close()
        assert filter_.stdout.readline() == b"after\n"
    assert filter_.returncode == 0

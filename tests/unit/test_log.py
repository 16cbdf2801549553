import json
import os
import pty
import re
import subprocess
import sys
from pathlib import Path

import pytest

from siteforge import log
from tests.support.cli import siteforge

SAY = """
from siteforge import log
log.configure({level!r}, {form!r})
said = log.get("a.module")
said.debug("small", tenant="blog")
deep = {{"api-token": "hunter2", "list": [{{"secret": "hunter2"}}]}}
said.info("what happened", tenant="blog", password="hunter2", deep=deep)
said.error("bad")
"""


def say(level: str = "info", form: str = "auto") -> subprocess.CompletedProcess[str]:
    code = SAY.format(level=level, form=form)
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)


def test_off_a_terminal_each_line_is_json_on_standard_error() -> None:
    done = say()
    assert done.stdout == ""
    happened, bad = map(json.loads, done.stderr.splitlines())
    assert (happened["event"], happened["level"], happened["tenant"]) == ("what happened", "info", "blog")
    assert (bad["event"], bad["module"], bad["run"]) == ("bad", "a.module", happened["run"])
    assert re.fullmatch("[0-9a-f]{8}", happened["run"])
    assert happened["timestamp"].endswith("Z")


@pytest.mark.parametrize("form", ["human", "json"])
def test_secrets_are_redacted_however_deep(form: str) -> None:
    said = say("debug", form).stderr
    assert "hunter2" not in said
    assert said.count(log.REDACTED) == 3


@pytest.mark.parametrize(("level", "lines"), {"debug": 3, "info": 2, "warning": 1, "error": 1}.items())
def test_levels(level: str, lines: int) -> None:
    assert len(say(level).stderr.splitlines()) == lines


@pytest.mark.parametrize("no_color", ["", "1"])
def test_on_a_terminal_it_is_for_people_in_colour_unless_they_want_none(no_color: str) -> None:
    own, terminal = pty.openpty()
    environment = {"PATH": os.environ["PATH"], "TERM": "xterm", "NO_COLOR": no_color}
    with subprocess.Popen(
        [sys.executable, "-c", SAY.format(level="info", form="auto")], env=environment, stderr=terminal
    ):
        os.close(terminal)
        said = b""
        while True:
            try:
                part = os.read(own, 4096)
            except OSError:
                break
            if not part:
                break
            said += part
    os.close(own)
    assert b"what happened" in said
    assert b'"event"' not in said
    assert (b"\x1b[" in said) is (not no_color)


def test_until_it_is_configured_warnings_alone_are_told_and_not_among_results() -> None:
    code = "from siteforge import log; log.get('m').info('small'); log.get('m').warning('large')"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == ""
    assert [json.loads(line)["event"] for line in done.stderr.splitlines()] == ["large"]


def test_a_level_that_there_is_not_is_wrong_usage(tmp_path: Path) -> None:
    done = siteforge("--log-level", "loud", "validate", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert "loud" in done.stderr

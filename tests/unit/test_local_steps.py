import os
import time
from pathlib import Path

import pytest

from local import steps
from local.steps import Failure


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "logs" / "step.log"


def test_everything_a_command_prints_goes_to_the_log_alone(log: Path, capfd: pytest.CaptureFixture[str]) -> None:
    steps.run(["sh", "-c", "echo out; echo err >&2"], log=log)
    assert log.read_text() == "$ sh -c echo out; echo err >&2\nout\nerr\n"
    assert capfd.readouterr() == ("", "")


def test_a_log_keeps_what_earlier_commands_printed(log: Path) -> None:
    steps.run(["echo", "first"], log=log)
    steps.run(["echo", "second"], log=log)
    assert log.read_text().splitlines() == ["$ echo first", "first", "$ echo second", "second"]


def test_a_command_gets_its_folder_environment_and_input(log: Path, tmp_path: Path) -> None:
    steps.run(["/bin/sh", "-c", "pwd; echo $NAME; cat"], log=log, cwd=tmp_path, env={"NAME": "value"}, stdin=b"in\n")
    assert log.read_text().splitlines()[1:] == [str(tmp_path), "value", "in"]


def test_arguments_are_passed_as_they_are(log: Path) -> None:
    steps.run(["printf", "%s|", "a b", "$HOME", Path("it's")], log=log)
    assert log.read_text().endswith("\na b|$HOME|it's|")


def test_a_command_that_fails_is_told_with_its_code_last_lines_and_log(log: Path) -> None:
    with pytest.raises(Failure) as caught:
        steps.run(["sh", "-c", "seq 100; exit 7"], log=log)
    first, *rest = caught.value.message.splitlines()
    assert first.startswith("sh exited with 7")
    assert [line.strip() for line in rest] == [str(number) for number in range(81, 101)]
    assert str(log) in caught.value.fix


def test_a_command_that_a_signal_ended_has_failed(log: Path) -> None:
    with pytest.raises(Failure, match="sh exited with -9"):
        steps.run(["sh", "-c", "kill -9 $$"], log=log)


def test_output_that_is_no_text_does_not_hide_the_failure(log: Path) -> None:
    with pytest.raises(Failure, match="exited with 1"):
        steps.run(["sh", "-c", r"printf '\377\n'; exit 1"], log=log)


def test_a_program_that_is_missing_is_told_by_name(log: Path) -> None:
    with pytest.raises(Failure, match=r"^no-such-program is not installed$"):
        steps.run(["no-such-program", "--flag"], log=log)


@pytest.mark.parametrize(("breaks", "outcome"), [(False, "done in"), (True, "failed after")])
def test_a_step_says_that_it_began_and_how_it_ended(
    breaks: bool, outcome: str, capfd: pytest.CaptureFixture[str]
) -> None:
    try:
        with steps.step("Work"):
            assert not breaks
    except AssertionError:
        assert breaks
    out, err = capfd.readouterr()
    first, last = err.splitlines()
    assert first == "==> Work"
    assert last.startswith(f"    Work: {outcome} 0.")
    assert out == ""


def test_a_long_step_says_now_and_then_that_it_still_runs(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(steps, "_HEARTBEAT_SECONDS", 0.01)
    with steps.step("Work"):
        time.sleep(0.1)
    during = capfd.readouterr().err.splitlines()[1:-1]
    assert during
    assert set(during) == {"    Work: 0 s so far"}
    time.sleep(0.05)
    assert capfd.readouterr().err == ""


def test_progress_is_seen_at_once_and_not_among_results(monkeypatch: pytest.MonkeyPatch) -> None:
    reader, writer = os.pipe()
    os.set_blocking(reader, False)
    with os.fdopen(reader, "rb", buffering=0) as read, os.fdopen(writer, "w") as write:
        monkeypatch.setattr("sys.stderr", write)
        steps.say("line")
        assert read.read(100) == b"line\n"

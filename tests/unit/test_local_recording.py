import json
import subprocess
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from local import recording
from local.recording import Event

ROOT = Path(__file__).parents[2]
PRINTS = f"{sys.executable} -c \"print('Käse', __import__('os').get_terminal_size().columns)\""


def test_what_a_command_prints_on_a_terminal_is_recorded_after_what_was_typed() -> None:
    events = recording.record([PRINTS], {"PATH": "/usr/bin:/bin"})
    text = "".join(event.text for event in events)
    assert text.endswith(f"{PRINTS}\r\nKäse {recording.COLUMNS}\r\n")
    times = [event.seconds for event in events]
    assert times == sorted(times)
    header, *lines = (json.loads(line) for line in recording.cast(events).splitlines())
    assert (header["version"], header["width"]) == (2, recording.COLUMNS)
    assert {line[1] for line in lines} == {"o"}
    assert "".join(line[2] for line in lines) == text


def test_a_command_that_fails_ends_the_recording() -> None:
    with pytest.raises(subprocess.CalledProcessError):
        recording.record(["exit 1"], {"PATH": "/usr/bin:/bin"})


def test_the_picture_shows_the_last_state_of_a_line() -> None:
    svg = recording.picture([Event(0, "10%\r"), Event(1, "100%\r\n"), Event(2, "\x1b[31mred\x1b[0m\r\n")])
    assert ">100%" in svg
    assert "10%</" not in svg.replace("100%", "")
    assert ET.fromstring(svg).tag.endswith("svg")


def test_the_recording_in_the_docs_is_one_of_the_commands_as_they_are_now() -> None:
    header, *lines = (json.loads(line) for line in (ROOT / "docs" / "recording.cast").read_text().splitlines())
    assert header["version"] == 2
    text = "".join(line[2] for line in lines)
    typed = [part.partition("\r\n")[0] for part in text.split(recording._PROMPT)[1:]]
    assert typed == [*recording.COMMANDS]
    svg = (ROOT / "docs" / "recording.svg").read_text()
    assert str(ROOT) not in text + svg
    assert ET.fromstring(svg).tag.endswith("svg")

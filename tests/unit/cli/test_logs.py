import pytest
import typer

from siteforge.cli import logs
from tests.support.cli import siteforge


@pytest.mark.parametrize(("text", "wanted"), {"90s": 90, "10m": 600, "1h30m": 5400, "2d": 172800, "0s": 1}.items())
def test_durations(text: str, wanted: int) -> None:
    assert logs.seconds(text) == wanted


@pytest.mark.parametrize("text", ["", "10", "m", "10 m", "-1m", "1.5h", "10m!", "1w"])
def test_what_is_no_duration_is_bad_input(text: str) -> None:
    with pytest.raises(typer.BadParameter, match="is no duration - write it as in 90s"):
        logs.seconds(text)


def test_bad_durations_exit_with_2_and_no_traceback() -> None:
    done = siteforge("logs", "blog-aku", "--since", "soon")
    assert (done.returncode, done.stdout) == (2, "")
    assert "soon is no duration" in done.stderr
    assert "Traceback" not in done.stderr

import pytest
import typer
from typer.testing import CliRunner

from siteforge import errors
from siteforge.cli import app, problems
from siteforge.errors import SiteforgeError
from tests.support.cli import siteforge

CODES = {
    errors.CatalogueError: 2,
    errors.SettingsError: 2,
    errors.CapacityError: 1,
    errors.CellsError: 1,
    errors.ClusterError: 1,
    errors.EngineError: 1,
}


@pytest.mark.parametrize("kind", CODES)
def test_every_error_has_its_exit_code_and_no_traceback(
    kind: type[SiteforgeError], monkeypatch: pytest.MonkeyPatch
) -> None:
    problem = errors.Problem("tenants.yaml", 1, 1, "", "a\x1b[2Jb")
    error = errors.CatalogueError([problem]) if kind is errors.CatalogueError else kind("a\x1b[2Jb\nc")

    def failing() -> None:
        raise error

    monkeypatch.setattr(app, "registered_commands", [typer.models.CommandInfo("failing", callback=failing)])
    done = CliRunner().invoke(app, ["failing"])
    assert (done.exit_code, done.stdout) == (CODES[kind], "")
    assert r"a\x1b[2Jb" in done.stderr
    assert "Traceback" not in done.stderr


def test_each_line_of_a_message_is_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    problems.tell(errors.SettingsError("one\ntwo"))
    assert capsys.readouterr().err == "one\ntwo\n"


def test_completion_of_shells_is_on() -> None:
    # Typer's own switch: take the shell that is named, and don't look for one among the parents of this process.
    done = siteforge("--show-completion", "bash", _TYPER_COMPLETE_TEST_DISABLE_SHELL_DETECTION="1")
    assert done.returncode == 0, done.stderr
    assert "siteforge" in done.stdout

import os
import stat
import subprocess
import urllib.parse
from collections.abc import Mapping
from pathlib import Path

import pytest

from local import cluster, paths, toolchain, virtualenv, workspace
from local.cluster.network import Network
from local.cluster.settings import Ports, Settings
from local.steps import Failure
from siteforge.configuration import SECRET_FILE
from siteforge.secrets import MINIMUM_LENGTH
from tests.support.programs import Program

ODD = 'it\'s $HOME; `id` "a\\b" &\n  #é*'
OVERRIDING = {"PULUMI_CONFIG_PASSPHRASE": "", "PULUMI_STACK": "other", "PULUMI_ACCESS_TOKEN": "pul-0"}


@pytest.fixture
def clone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty clone, in a folder whose name is hard on a shell."""
    root = tmp_path / ODD
    root.mkdir()
    state = root / ".siteforge"
    monkeypatch.setattr(paths, "STATE", state)
    monkeypatch.setattr(toolchain, "BIN", state / "bin")
    monkeypatch.setattr(toolchain, "install_plugin", lambda _: None)
    monkeypatch.setattr(virtualenv, "FOLDER", root / ".venv")
    for name, value in {
        "PROJECT": root,
        "STATE": state,
        "LOGS": state / "logs",
        "_HOME": state / "pulumi",
        "_BACKEND": state / "state",
        "_SECRET": state / "secret",
        "_CREATED": state / "workspace",
        "_PASSPHRASE": root / "local" / "dev-passphrase",
    }.items():
        monkeypatch.setattr(workspace, name, value)
    return root


@pytest.fixture
def programs(tmp_path: Path, clone: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(toolchain, "BIN", tmp_path / "bin")
    return tmp_path / "bin"


def evaluated(shell: str, exports: str, inherited: Mapping[str, str]) -> dict[str, str]:
    done = subprocess.run(
        [shell, "-c", 'eval "$1" && exec /usr/bin/env -0', shell, exports],
        env=inherited,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stderr == ""
    found = dict(line.split("=", 1) for line in done.stdout.split("\0") if line)
    return {name: value for name, value in found.items() if name not in ("PWD", "OLDPWD", "SHLVL", "_")}


# Variables


@pytest.mark.parametrize("shell", ["/bin/bash", "/bin/sh"])
@pytest.mark.parametrize("inherited", [{}, OVERRIDING, {"KUBECONFIG": "/other", "PULUMI_BACKEND_URL": "s3://other"}])
def test_a_shell_has_after_eval_what_our_own_processes_have(shell: str, inherited: dict[str, str], clone: Path) -> None:
    inherited = inherited | {"PATH": "/usr/bin:/bin", "EDITOR": "vi"}
    assert evaluated(shell, workspace.shell_exports(inherited), inherited) == workspace.environment(inherited)


def test_what_would_win_over_ours_is_gone_and_the_rest_is_kept(clone: Path) -> None:
    environment = workspace.environment(OVERRIDING | {"EDITOR": "vi", "PULUMI_HOME": "/other"})
    assert not OVERRIDING.keys() & environment.keys()
    assert environment["EDITOR"] == "vi"
    assert environment["PULUMI_HOME"] == str(clone / ".siteforge" / "pulumi")


def test_everything_stays_in_the_clone(clone: Path) -> None:
    values = workspace.variables()
    assert values.pop("PULUMI_SKIP_UPDATE_CHECK") == "true"
    assert values.pop("PULUMI_BACKEND_URL") == f"file://{clone}/.siteforge/state"
    assert all(Path(value).is_relative_to(clone) for value in values.values())


def test_the_files_of_the_clone_are_where_the_variables_say() -> None:
    values = workspace.variables()
    assert Path(values["PULUMI_CONFIG_PASSPHRASE_FILE"]).read_text().strip()
    assert Path(urllib.parse.urlsplit(values["PULUMI_BACKEND_URL"]).path).parent == paths.STATE
    assert SECRET_FILE in values


def test_twice_is_as_good_as_once(clone: Path) -> None:
    once = workspace.environment({"PATH": "/usr/bin:/bin"} | OVERRIDING)
    assert workspace.environment(once) == once
    assert workspace.shell_exports(once) == workspace.shell_exports({"PATH": "/usr/bin:/bin"})


@pytest.mark.parametrize("inherited", ["/usr/bin:/bin", "/usr/bin:{own}:/bin", "{own}:/usr/bin:/bin:{own}"])
def test_our_programs_come_first_and_once(inherited: str, programs: Path, clone: Path) -> None:
    own = f"{programs}:{clone}/.venv/bin"
    assert workspace.search_path(inherited.format(own=own)) == f"{own}:/usr/bin:/bin"


def test_without_a_path_the_systems_programs_are_still_found(clone: Path) -> None:
    assert workspace.environment({})["PATH"].endswith(f":{os.defpath}")


@pytest.mark.parametrize("inherited", ["", "a.example", "10.214.0.0/16,127.0.0.1,localhost"])
def test_the_cluster_is_reached_past_any_proxy(inherited: str, clone: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = Settings("acab76", Network(214), Ports(), "/programs", simulated=False)
    monkeypatch.setattr(cluster, "current", lambda: settings)
    kept = ["a.example"] if inherited == "a.example" else []
    expected = [*kept, settings.network.cidr, "127.0.0.1", "localhost"]
    assert workspace.environment({"no_proxy": inherited})["NO_PROXY"] == ",".join(expected)


# Making it


def test_the_stack_is_selected_once_with_our_environment(programs: Path, clone: Path) -> None:
    pulumi = Program(programs, "pulumi", 'printf "%s\\n" "$PULUMI_HOME" "$PWD"')
    workspace.ensure()
    workspace.ensure()
    assert pulumi.calls == ["stack select dev --create --non-interactive"]
    log = (clone / ".siteforge" / "logs" / "workspace.log").read_text()
    assert log.endswith(f"{clone}/.siteforge/pulumi\n{clone}\n")


def test_the_plugin_is_looked_after_each_time(programs: Path, clone: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    homes: list[Path] = []
    monkeypatch.setattr(toolchain, "install_plugin", homes.append)
    Program(programs, "pulumi")
    workspace.ensure()
    workspace.ensure()
    assert homes == [clone / ".siteforge" / "pulumi"] * 2


def test_what_pulumi_refuses_is_told_and_tried_again(programs: Path) -> None:
    Program(programs, "pulumi", "echo 'error: incorrect passphrase'; exit 255")
    with pytest.raises(Failure, match="incorrect passphrase"):
        workspace.ensure()
    pulumi = Program(programs, "pulumi")
    workspace.ensure()
    assert len(pulumi.calls) == 2


def test_the_state_is_for_this_user_only_even_if_it_was_not(programs: Path, clone: Path) -> None:
    Program(programs, "pulumi")
    state = clone / ".siteforge"
    state.mkdir(mode=0o755)
    workspace.ensure()
    assert stat.S_IMODE(state.stat().st_mode) == 0o700
    assert stat.S_IMODE((state / "secret").stat().st_mode) == 0o600


def test_the_secret_is_long_enough_and_never_changes(programs: Path, clone: Path) -> None:
    Program(programs, "pulumi")
    secret = clone / ".siteforge" / "secret"
    workspace.ensure()
    first = secret.read_text()
    assert len(first.strip()) >= MINIMUM_LENGTH
    (clone / ".siteforge" / "workspace").unlink()
    workspace.ensure()
    assert secret.read_text() == first
    secret.unlink()
    workspace.ensure()
    assert secret.read_text() != first


def test_a_secret_is_there_whole_or_not_at_all(programs: Path, clone: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_: int) -> None:
        raise OSError("No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        workspace.ensure()
    assert not (clone / ".siteforge" / "secret").exists()


# pulumi up


def test_up_changes_the_stack_dev_without_a_question(
    programs: Path, clone: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    pulumi = Program(programs, "pulumi", 'printf "%s\\n" "$PULUMI_BACKEND_URL" "$PWD"')
    workspace.up()
    assert pulumi.calls == ["up --yes --skip-preview --stack dev"]
    assert capfd.readouterr().out == f"file://{clone}/.siteforge/state\n{clone}\n"


def test_up_that_fails_is_a_failure_and_not_a_traceback(programs: Path) -> None:
    Program(programs, "pulumi", "exit 255")
    with pytest.raises(Failure, match="`pulumi up` failed") as caught:
        workspace.up()
    assert "make up" in caught.value.fix

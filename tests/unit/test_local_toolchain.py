"""The toolchain's promises that need no compiler: pins, keys, folders, links, and whose Pulumi is used."""

import json
import re
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from local.steps import Failure
from local.toolchain import golang, links, plugin, programs, pulumi_on_path, store, versions
from local.toolchain.build import linker_flags, output
from local.toolchain.programs import PROGRAMS, Program

REPOSITORY = Path(__file__).parents[2]
BY_NAME = {program.name: program for program in PROGRAMS}


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("SITEFORGE_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def pins(tmp_path: Path) -> Path:
    """A copy of the pins that a test may change."""
    copy = tmp_path / "pins"
    for build in (build for program in PROGRAMS for build in program.builds):
        (copy / build.pins).mkdir(parents=True)
        for path in (programs.PINS / build.pins).iterdir():
            (copy / build.pins / path.name).write_bytes(path.read_bytes())
    return copy


class TestTableAndPins:
    @pytest.mark.parametrize("program", PROGRAMS, ids=lambda program: program.name)
    def test_release_is_what_go_mod_requires(self, program: Program) -> None:
        text = (programs.PINS / program.builds[0].pins / "go.mod").read_text()
        assert program.release in re.findall(r"^(?:require |\t)(\S+) (v\S+)", text, re.MULTILINE)

    def test_every_pin_folder_is_used_and_has_its_hashes(self) -> None:
        used = {build.pins for program in PROGRAMS for build in program.builds}
        folders = {path.name for path in programs.PINS.iterdir() if (path / "go.mod").exists()}
        assert folders == used
        assert all((programs.PINS / name / "go.sum").stat().st_size > 0 for name in used)

    def test_minimum_go_is_that_of_the_pins(self) -> None:
        lines = [
            re.search(r"^go (\d+\.\d+)(\.0)?$", path.read_text(), re.MULTILINE)
            for path in programs.PINS.glob("*/go.mod")
        ]
        assert {line[1] for line in lines if line} == {versions.GO}
        assert all(lines)

    def test_kubernetes_staging_modules_are_of_the_same_release(self) -> None:
        text = (programs.PINS / "kubernetes" / "go.mod").read_text()
        minor = versions.KUBERNETES.split(".", 1)[1]
        assert set(re.findall(r"k8s\.io/(?:api|apimachinery|client-go|kubelet) (v\S+)", text)) == {f"v0.{minor}"}

    def test_python_packages_of_pulumi_are_of_the_same_versions(self) -> None:
        lock = REPOSITORY / "requirements.txt"
        if not lock.exists():
            pytest.skip("no requirements.txt in this clone")
        pinned = dict(re.findall(r"^([a-z-]+)==(\S+)", lock.read_text(), re.MULTILINE))
        assert pinned["pulumi"] == versions.PULUMI
        assert pinned["pulumi-kubernetes"] == versions.KUBERNETES_PROVIDER

    def test_go_names_several_programs_of_one_build_by_their_packages(self) -> None:
        for build in (build for program in PROGRAMS for build in program.builds if len(build.packages) > 1):
            assert all(package.endswith(f"/{name}") for name, package in build.packages)
            assert output(build) == "bin/"

    def test_names_are_unique(self) -> None:
        names = [Path(item).name for program in PROGRAMS for item in program.outputs]
        assert len(names) == len(set(names))

    def test_linker_stamps_the_version(self) -> None:
        flags = linker_flags(BY_NAME["kubernetes"].builds[0])
        assert flags.startswith("-s -w -X ")
        assert f"-X k8s.io/component-base/version.gitVersion=v{versions.KUBERNETES}" in flags

    def test_unknown_name_is_refused_with_the_known_ones(self) -> None:
        with pytest.raises(ValueError, match=r"no such program: etcdd \(there are: etcd, "):
            programs.named(["etcdd"])


class TestKeys:
    def test_same_pins_same_key(self, pins: Path) -> None:
        assert programs.key(BY_NAME["etcd"], pins) == programs.key(BY_NAME["etcd"])

    @pytest.mark.parametrize("file", ["go.mod", "go.sum"])
    def test_changed_pin_changes_just_that_program(self, pins: Path, file: str) -> None:
        before = {name: programs.key(program, pins) for name, program in BY_NAME.items()}
        path = pins / "etcd" / file
        path.write_text(path.read_text() + "\n")
        after = {name: programs.key(program, pins) for name, program in BY_NAME.items()}
        assert {name for name in BY_NAME if before[name] != after[name]} == {"etcd"}

    def test_pins_of_the_language_host_count_for_pulumi(self, pins: Path) -> None:
        before = programs.key(BY_NAME["pulumi"], pins)
        (pins / "pulumi-language-python" / "go.sum").write_text("")
        assert programs.key(BY_NAME["pulumi"], pins) != before

    def test_recipe_counts(self) -> None:
        etcd = BY_NAME["etcd"]
        assert programs.key(etcd) != programs.key(Program(etcd.name, "0.0.1", etcd.release, etcd.builds, etcd.on_path))


class TestStore:
    def test_folder_appears_when_complete(self, cache: Path) -> None:
        destination = cache / "toolchain" / "tool-1"

        def make(staging: Path) -> None:
            assert not destination.exists()
            _write(staging / "bin/tool")

        store.fill(destination, ("bin/tool",), make)
        assert (destination / "bin/tool").exists()
        assert [path.name for path in destination.parent.iterdir() if path.is_dir()] == ["tool-1"]

    def test_finished_folder_is_not_made_again(self, cache: Path) -> None:
        destination = cache / "toolchain" / "tool-1"
        _write(destination / "bin/tool")
        store.fill(destination, ("bin/tool",), _must_not_run)

    def test_folder_with_a_part_missing_is_made_again(self, cache: Path) -> None:
        destination = cache / "toolchain" / "tool-1"
        _write(destination / "bin/other")
        store.fill(destination, ("bin/other", "bin/tool"), _write_all)
        assert (destination / "bin/tool").exists()

    def test_failed_build_leaves_nothing_that_counts(self, cache: Path) -> None:
        destination = cache / "toolchain" / "tool-1"

        def make(staging: Path) -> None:
            _write(staging / "bin/tool")
            raise Failure("compiler says no")

        with pytest.raises(Failure, match="compiler says no"):
            store.fill(destination, ("bin/tool",), make)
        assert not [path for path in destination.parent.iterdir() if path.is_dir()]

    def test_left_out_output_is_a_failure(self, cache: Path) -> None:
        with pytest.raises(Failure, match=r"left out bin/tool"):
            store.fill(cache / "toolchain" / "tool-1", ("bin/tool",), lambda staging: None)

    def test_what_a_killed_build_left_is_not_taken_and_is_removed(self, cache: Path) -> None:
        killed = f"""
            import os, signal, sys
            from pathlib import Path
            from local.toolchain import store
            def make(staging):
                (staging / "bin").mkdir()
                (staging / "bin/tool").write_text("half")
                os.kill(os.getpid(), signal.SIGKILL)
            store.fill(Path({str(cache / "toolchain" / "tool-1")!r}), ("bin/tool",), make)
        """
        done = subprocess.run([sys.executable, "-c", textwrap.dedent(killed)], cwd=REPOSITORY, check=False)
        assert done.returncode == -9
        destination = cache / "toolchain" / "tool-1"
        assert not destination.exists()
        assert [path for path in destination.parent.iterdir() if path.is_dir()]
        store.fill(destination, ("bin/tool", "bin/other"), _write_all)
        assert (destination / "bin/tool").read_text() == ""
        assert [path.name for path in destination.parent.iterdir() if path.is_dir()] == ["tool-1"]

    def test_second_process_waits_and_says_for_whom(self, cache: Path, capfd: pytest.CaptureFixture[str]) -> None:
        destination = cache / "toolchain" / "tool-1"
        slow = f"""
            import time
            from pathlib import Path
            from local.toolchain import store
            def make(staging):
                print("started", flush=True)
                time.sleep(1)
                (staging / "tool").write_text("")
            store.fill(Path({str(destination)!r}), ("tool",), make)
        """
        argv = [sys.executable, "-c", textwrap.dedent(slow)]
        with subprocess.Popen(argv, cwd=REPOSITORY, stdout=subprocess.PIPE, text=True) as first:
            assert first.stdout is not None
            assert first.stdout.readline() == "started\n"
            store.fill(destination, ("tool",), _must_not_run)
        assert f"waiting for process {first.pid}, which builds tool-1" in capfd.readouterr().err

    def test_unwritable_cache_is_a_failure_that_names_it(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        (tmp_path / "file").write_text("")
        monkeypatch.setenv("SITEFORGE_CACHE", str(tmp_path / "file"))
        with pytest.raises(Failure, match="cannot write ") as caught:
            store.fill(store.root() / "tool-1", ("tool",), _must_not_run)
        assert "SITEFORGE_CACHE" in caught.value.fix


class TestLinks:
    def test_only_finished_programs_that_belong_on_path(self) -> None:
        for program in (BY_NAME["etcd"], BY_NAME["pulumi-resource-kubernetes"]):
            for item in program.outputs:
                _write(store.folder(program) / item)
        _write(store.folder(BY_NAME["pulumi"]) / "bin/pulumi")  # its language host is missing
        assert links.targets(PROGRAMS) == {"etcd": store.folder(BY_NAME["etcd"]) / "bin/etcd"}

    def test_relink_replaces_and_removes(self, tmp_path: Path) -> None:
        folder = tmp_path / "bin"
        links.relink({"etcd": Path("/cache/etcd-1"), "kwok": Path("/cache/kwok-1")}, folder)
        links.relink({"etcd": Path("/cache/etcd-2")}, folder)
        assert {entry.name: entry.readlink() for entry in folder.iterdir()} == {"etcd": Path("/cache/etcd-2")}


class TestPlugin:
    PROGRAM = BY_NAME["pulumi-resource-kubernetes"]

    @pytest.fixture
    def built(self, monkeypatch: pytest.MonkeyPatch) -> Path:
        monkeypatch.setenv("PATH", "/nonexistent")
        _write(path := store.folder(self.PROGRAM) / "bin/pulumi-resource-kubernetes")
        return path

    @pytest.fixture
    def folder(self, tmp_path: Path) -> Path:
        return tmp_path / "home/plugins" / f"resource-kubernetes-v{versions.KUBERNETES_PROVIDER}"

    def test_built_provider_is_linked_where_the_engine_looks(self, tmp_path: Path, built: Path, folder: Path) -> None:
        _write(folder.with_name(f"{folder.name}.partial"))  # an unfinished download of Pulumi's own
        for _ in range(2):
            plugin.install(tmp_path / "home")
            assert (folder / "pulumi-resource-kubernetes").readlink() == built
            assert [path.name for path in folder.parent.iterdir()] == [folder.name]

    def test_link_to_an_older_build_is_replaced(self, tmp_path: Path, built: Path, folder: Path) -> None:
        _write(older := tmp_path / "older")
        folder.mkdir(parents=True)
        (folder / "pulumi-resource-kubernetes").symlink_to(older)
        plugin.install(tmp_path / "home")
        assert (folder / "pulumi-resource-kubernetes").readlink() == built

    def test_downloaded_plugin_is_kept(self, tmp_path: Path, folder: Path) -> None:
        _write(folder / "pulumi-resource-kubernetes")
        plugin.install(tmp_path / "home")
        assert not (folder / "pulumi-resource-kubernetes").is_symlink()


class TestPulumiOnPath:
    HOST = ("pulumi", "pulumi-language-python")

    @pytest.mark.parametrize("version", ["v3.259.0", "3.259.0\n", "v3.259.1", "v3.300.0-alpha.1", "v3.259.0+local"])
    def test_new_enough_is_used(self, version: str) -> None:
        assert pulumi_on_path.objection(version, self.HOST, minimum="3.259.0") is None

    @pytest.mark.parametrize(
        ("version", "reason"),
        [
            ("v3.258.9", "it is v3.258.9, older than 3.259.0"),
            ("v3.99.0", "it is v3.99.0, older than 3.259.0"),
            ("v3.259.0-alpha.1", "it is v3.259.0-alpha.1, older than 3.259.0"),
            ("v2.300.0", "it is v2.300.0, and Pulumi 3 is needed"),
            ("v4.0.0", "it is v4.0.0, and Pulumi 3 is needed"),
            ("command not found", "its version is not readable: 'command not found'"),
            ("", "its version is not readable: ''"),
        ],
    )
    def test_other_versions_are_not(self, version: str, reason: str) -> None:
        assert pulumi_on_path.objection(version, self.HOST, minimum="3.259.0") == reason

    def test_language_host_must_be_beside_it(self) -> None:
        reason = pulumi_on_path.objection("v3.300.0", ("pulumi",))
        assert reason == "its language host pulumi-language-python is not beside it"

    def test_found_on_path(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        pulumi = self._fake(tmp_path / "opt", "v3.999.0")
        monkeypatch.setenv("PATH", f"{tmp_path / 'opt'}:/usr/bin:/bin")
        assert pulumi_on_path.find() == (pulumi, None)

    def test_too_old_is_refused_with_its_place(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        pulumi = self._fake(tmp_path / "opt", "v3.1.0")
        monkeypatch.setenv("PATH", f"{tmp_path / 'opt'}:/usr/bin:/bin")
        found, reason = pulumi_on_path.find()
        assert found is None
        assert reason == f"the Pulumi on PATH ({pulumi}) is not used: it is v3.1.0, older than {versions.PULUMI}"

    def test_one_that_we_built_does_not_count(
        self, tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        built = self._fake(cache / "toolchain/pulumi-1/bin", "v3.999.0")
        (tmp_path / "opt").mkdir()
        (tmp_path / "opt/pulumi").symlink_to(built)
        monkeypatch.setenv("PATH", f"{tmp_path / 'opt'}:{built.parent}")
        assert pulumi_on_path.find() == (None, None)

    @staticmethod
    def _fake(folder: Path, version: str) -> Path:
        folder.mkdir(parents=True)
        for name in TestPulumiOnPath.HOST:
            (folder / name).write_text(f"#!/bin/sh\necho {json.dumps(version)}\n")
            (folder / name).chmod(0o755)
        return folder / "pulumi"


class TestGo:
    @pytest.mark.parametrize(
        ("reported", "expected"),
        [
            ("go1.26", True),
            ("go1.26.8", True),
            ("go1.27rc1", True),
            ("go1.25.9", False),
            ("go1.3", False),
            ("", False),
        ],
    )
    def test_minimum(self, reported: str, expected: bool) -> None:
        assert golang.is_new_enough(reported, "1.26") is expected

    def test_everything_is_kept_in_our_cache(self, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("GOROOT", "/elsewhere")
        env = golang.environment(Path("/go/bin/go"), Path("/staging/tmp"))
        kept = {name: env[name] for name in ("GOPATH", "GOMODCACHE", "GOCACHE", "XDG_CONFIG_HOME")}
        assert all(Path(value).is_relative_to(cache / "go") for value in kept.values())
        assert (env["GOTOOLCHAIN"], env["GOTMPDIR"]) == ("local", "/staging/tmp")
        assert "GOROOT" not in env


def _write(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("")


def _write_all(staging: Path) -> None:
    _write(staging / "bin/tool")
    _write(staging / "bin/other")


def _must_not_run(staging: Path) -> None:
    raise AssertionError(f"built {staging} again")

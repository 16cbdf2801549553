"""The images' promises that need no build: the table, the keys, the archives, what is read from Debian."""

import hashlib
import json
import os
import subprocess
import tarfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from local import images, packages
from local.images import build, debian, oci, program, recipes, tar
from local.images.recipes import RECIPES, Recipe
from local.images.static import Pause
from local.steps import Failure

BY_NAME = {recipe.name: recipe for recipe in RECIPES}


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("SITEFORGE_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def recipe(tmp_path: Path) -> Recipe:
    """A recipe whose files a test may change."""
    (tmp_path / "code.c").write_text("int main(void) { return 0; }\n")
    (tmp_path / "files" / "bin").mkdir(parents=True)
    (tmp_path / "files" / "bin" / "start").write_text("#!/bin/sh\n")
    (tmp_path / "files" / "bin" / "start").chmod(0o755)
    return Recipe(
        name="sample",
        source=Pause(tmp_path / "code.c"),
        files=tmp_path / "files",
        images={"example/sample:1": oci.Settings(command=("start",))},
    )


def archive_of(tmp_path: Path, settings: dict[str, oci.Settings]) -> Path:
    with tar.create(tmp_path / "layer.tar") as layer:
        tar.add_file(layer, "etc/name", b"value")
    oci.write_archive(tmp_path / "image.tar", settings, [tmp_path / "layer.tar"], "amd64")
    return tmp_path / "image.tar"


def blobs_and_index(archive: Path) -> tuple[dict[str, bytes], dict[str, Any]]:
    content: dict[str, bytes] = {}
    with tarfile.open(archive) as opened:
        for entry in opened.getmembers():
            file = opened.extractfile(entry)
            assert file is not None
            content[entry.name] = file.read()
    index: dict[str, Any] = json.loads(content["index.json"])
    return {name: data for name, data in content.items() if name.startswith("blobs/")}, index


def test_the_references_are_unique_and_none_is_latest() -> None:
    references = [reference for recipe in (*RECIPES, recipes.siteforge()) for reference in recipe.images]
    assert len(references) == len(set(references))
    assert all(reference.startswith("siteforge.local/") for reference in references)
    assert not any(reference.endswith(":latest") or ":" not in reference for reference in references)


def test_the_constants_are_in_the_table() -> None:
    references = {reference for recipe in RECIPES for reference in recipe.images}
    assert references == {
        images.WORDPRESS,
        images.WORDPRESS_NEXT,
        images.MARIADB,
        images.MARIADB_NEXT,
        images.BUSYBOX,
        images.PAUSE,
    }


@pytest.mark.parametrize("name", ["wordpress", "mariadb"])
def test_the_next_build_differs_in_one_variable_only(name: str) -> None:
    first, following = BY_NAME[name].images.values()
    assert first.environment["SITEFORGE_BUILD"] != following.environment["SITEFORGE_BUILD"]
    assert replace(first, environment={}) == replace(following, environment={})


def test_the_scripts_of_the_images_can_be_run_and_parse() -> None:
    for recipe in (*RECIPES, recipes.siteforge()):
        scripts = [path for path in build.overlay(recipe.files) if path.parent.name == "bin"]
        scripts += [path for path in recipe.source.inputs() if path.suffix == ".sh"]
        for script in (path for path in scripts if path.read_text().startswith(("#!/bin/sh", "#!/usr/bin/env bash"))):
            assert os.access(script, os.X_OK), script
            assert subprocess.run(["bash", "-n", script], check=False).returncode == 0, script


def test_wordpress_reads_every_variable_of_the_official_image() -> None:
    files = BY_NAME["wordpress"].files
    assert files is not None
    config = (files / "usr/src/wordpress/wp-config-docker.php").read_text()
    keys = [f"{name}_{kind}" for name in ("AUTH", "SECURE_AUTH", "LOGGED_IN", "NONCE") for kind in ("KEY", "SALT")]
    others = ["DB_NAME", "DB_USER", "DB_PASSWORD", "DB_HOST", "DB_CHARSET", "DB_COLLATE"]
    for variable in [*keys, *others, "TABLE_PREFIX", "DEBUG", "CONFIG_EXTRA"]:
        assert f"getenv_docker( 'WORDPRESS_{variable}'" in config


def test_an_unknown_image_is_refused_by_name() -> None:
    with pytest.raises(Failure, match="no image called wordpres") as failure:
        images.ensure(["wordpres"])
    assert "wordpress" in failure.value.fix


def test_what_is_there_is_not_made_again(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(build, "step", None)
    for recipe in RECIPES:
        archive = build.archive_path(recipe)
        archive.parent.mkdir(parents=True, exist_ok=True)
        archive.touch()
    found = images.ensure()
    assert [image.references for image in found] == [tuple(recipe.images) for recipe in RECIPES]
    assert all(image.archive.parent == cache / "images" for image in found)
    assert [image.references[0] for image in images.ensure(["pause"])] == [images.PAUSE]


def test_only_root_makes_debian_roots(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    with pytest.raises(Failure, match="the image mariadb needs root"):
        images.ensure(["mariadb"])


def test_a_full_disk_is_told_without_a_traceback(cache: Path, monkeypatch: pytest.MonkeyPatch, recipe: Recipe) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(build, "_make", full)
    monkeypatch.setattr(packages, "ensure", lambda _: None)
    with pytest.raises(Failure, match="No space left on device") as failure:
        build.build(recipe)
    assert "SITEFORGE_CACHE" in failure.value.fix
    assert not (cache / "images" / ".scratch").exists()


def test_a_killed_build_leaves_nothing_that_counts(
    cache: Path, monkeypatch: pytest.MonkeyPatch, recipe: Recipe
) -> None:
    scratch = cache / "images" / ".scratch"
    scratch.mkdir(parents=True)
    (scratch / "layer.tar").write_text("half")

    def make(_: Recipe, archive: Path, folder: Path) -> None:
        assert list(folder.iterdir()) == []
        archive.write_text("whole")

    monkeypatch.setattr(build, "_make", make)
    monkeypatch.setattr(packages, "ensure", lambda _: None)
    assert build.build(recipe).read_text() == "whole"


def test_archives_of_earlier_recipes_are_kept_for_two_weeks(
    cache: Path, monkeypatch: pytest.MonkeyPatch, recipe: Recipe
) -> None:
    folder = cache / "images"
    folder.mkdir(parents=True)
    for name, age in (("sample-old.oci.tar", 20), ("sample-recent.oci.tar", 2), ("other-old.oci.tar", 20)):
        (folder / name).touch()
        changed = (folder / name).stat().st_mtime - age * 86400
        os.utime(folder / name, (changed, changed))
    monkeypatch.setattr(build, "_make", lambda _, archive, __: archive.touch())
    monkeypatch.setattr(packages, "ensure", lambda _: None)
    archive = build.build(recipe)
    kept = {path.name for path in folder.glob("*.tar")}
    assert kept == {archive.name, "sample-recent.oci.tar", "other-old.oci.tar"}


def test_the_keys_change_with_all_that_matters(recipe: Recipe, tmp_path: Path) -> None:
    layer, archive = build.layer_key(recipe.source), build.archive_key(recipe)
    assert (build.layer_key(recipe.source), build.archive_key(recipe)) == (layer, archive)

    settings = {"example/sample:1": oci.Settings(command=("stop",))}
    assert build.archive_key(replace(recipe, images=settings)) != archive

    (tmp_path / "files" / "bin" / "start").chmod(0o644)
    changed_mode = build.archive_key(recipe)
    assert changed_mode != archive
    (tmp_path / "files" / "bin" / "start").write_text("#!/bin/sh\nexit\n")
    assert build.archive_key(recipe) not in (archive, changed_mode)
    assert build.layer_key(recipe.source) == layer, "editing the files laid over it must not make the layer again"

    (tmp_path / "code.c").write_text("int main(void) { return 1; }\n")
    assert build.layer_key(recipe.source) != layer


def test_only_the_layers_of_what_changed_are_made_again(recipe: Recipe, tmp_path: Path) -> None:
    (tmp_path / "siteforge").mkdir()
    (tmp_path / "siteforge" / "names.py").write_text("")
    own = program.Siteforge(("siteforge/names.py",), tmp_path)
    whole = replace(recipe, over=(program.PulumiEngine(("key",)), own))
    layers, archive = [build.layer_key(source) for source in whole.sources], build.archive_key(whole)
    (tmp_path / "siteforge" / "names.py").write_text("# changed")
    changed = [before == after for before, after in zip(layers, map(build.layer_key, whole.sources), strict=True)]
    assert changed == [True, True, False]
    assert build.archive_key(whole) != archive
    assert build.layer_key(program.PulumiEngine(("another key",))) != layers[1]


def test_siteforges_own_image_has_its_package_its_program_and_the_version(tmp_path: Path) -> None:
    *_, own = program.layers()
    own.build(tmp_path / "layer.tar", tmp_path, tmp_path / "log")
    with tarfile.open(tmp_path / "layer.tar") as layer:
        names = layer.getnames()
    packages_ = "srv/siteforge/.venv/lib/python3.11/site-packages"
    assert {"srv/siteforge/__main__.py", "srv/siteforge/Pulumi.yaml", f"{packages_}/siteforge/names.py"} <= set(names)
    assert f"{packages_}/siteforge/specs/scripts" in {str(Path(name).parent) for name in names}
    assert f"{packages_}/siteforge-0.1.0.dist-info/METADATA" in names
    assert not [name for name in names if name.endswith(".pyc") or "/tests/" in name or "passphrase" in name]


def test_the_keys_are_the_same_in_another_clone(recipe: Recipe, tmp_path: Path) -> None:
    for name in ("code.c", "files"):
        (tmp_path / "elsewhere").mkdir(exist_ok=True)
        subprocess.run(["cp", "-a", tmp_path / name, tmp_path / "elsewhere" / name], check=True)
    moved = replace(recipe, source=Pause(tmp_path / "elsewhere" / "code.c"), files=tmp_path / "elsewhere" / "files")
    assert build.archive_key(moved) == build.archive_key(recipe)


def test_an_archive_holds_what_its_digests_say(tmp_path: Path) -> None:
    settings = oci.Settings(
        entrypoint=("entry",),
        command=("run",),
        environment={"A": "1"},
        working_directory="/srv",
        ports=("80/tcp",),
        volumes=("/data",),
        stop_signal="SIGWINCH",
    )
    blobs, index = blobs_and_index(archive_of(tmp_path, {"example/a:1": settings}))
    for name, content in blobs.items():
        assert name == f"blobs/sha256/{hashlib.sha256(content).hexdigest()}"

    def blob(descriptor: dict[str, Any]) -> bytes:
        content = blobs[f"blobs/{descriptor['digest'].replace(':', '/')}"]
        assert descriptor["size"] == len(content)
        return content

    (entry,) = index["manifests"]
    assert entry["annotations"]["io.containerd.image.name"] == "example/a:1"
    assert entry["annotations"]["org.opencontainers.image.ref.name"] == "1"
    manifest = json.loads(blob(entry))
    config = json.loads(blob(manifest["config"]))
    assert config["rootfs"]["diff_ids"] == [layer["digest"] for layer in manifest["layers"]]
    assert (config["os"], config["architecture"], config["created"]) == ("linux", "amd64", "2024-01-01T00:00:00Z")
    assert config["config"] == {
        "Entrypoint": ["entry"],
        "Cmd": ["run"],
        "Env": ["A=1"],
        "WorkingDir": "/srv",
        "ExposedPorts": {"80/tcp": {}},
        "Volumes": {"/data": {}},
        "StopSignal": "SIGWINCH",
    }


def test_two_references_share_their_layers(tmp_path: Path) -> None:
    settings = {
        "example/a:1": oci.Settings(),
        "example/a:2": oci.Settings(environment={"BUILD": "2"}),
        "example/a:same": oci.Settings(),
    }
    blobs, index = blobs_and_index(archive_of(tmp_path, settings))
    assert len(index["manifests"]) == 3
    assert len({entry["digest"] for entry in index["manifests"]}) == 2
    assert len(blobs) == 5, "one layer, two manifests, two configurations"


def test_archives_are_the_same_bytes_each_time(tmp_path: Path) -> None:
    archives = []
    for name in ("first", "second"):
        (tmp_path / name).mkdir()
        archives.append(archive_of(tmp_path / name, {"example/a:1": oci.Settings()}).read_bytes())
    assert archives[0] == archives[1]


def test_a_tree_is_packed_as_roots_with_modes_of_its_own(recipe: Recipe, tmp_path: Path) -> None:
    assert recipe.files is not None
    (recipe.files / "data").write_text("x")
    (recipe.files / "data").chmod(0o600)
    with tar.create(tmp_path / "tree.tar") as tree:
        tar.add_tree(tree, recipe.files, build.overlay(recipe.files))
    with tarfile.open(tmp_path / "tree.tar") as tree:
        entries = {entry.name: entry for entry in tree.getmembers()}
    assert {name: entry.mode for name, entry in entries.items()} == {"bin/start": 0o755, "data": 0o644}
    assert {(entry.uid, entry.gid, entry.mtime) for entry in entries.values()} == {(0, 0, 0)}


@pytest.mark.parametrize(
    ("version", "expected"),
    [
        ("1:10.11.19-0+deb12u1", "10.11.19"),
        ("6.1.9+dfsg1-0+deb12u1", "6.1.9"),
        ("2.4.62-1~deb12u2", "2.4.62"),
        ("1.2-rc1-3", "1.2-rc1"),
        ("20240203", "20240203"),
    ],
)
def test_the_upstream_part_of_a_debian_version(version: str, expected: str) -> None:
    assert debian.upstream(version) == expected


@pytest.mark.parametrize(
    ("version", "promised", "expected"),
    [("10.11.19", "10.11", True), ("10.1", "10.11", False), ("6.1.9", "6.1.9", True), ("6.1.10", "6.1.9", False)],
)
def test_a_version_fits_a_tag(version: str, promised: str, expected: bool) -> None:
    assert debian.fits(version, promised) is expected


def test_packages_newer_than_the_tag_are_told(capsys: pytest.CaptureFixture[str]) -> None:
    source = debian.DebianRoot(packages=(), promise=("wordpress", "6.1.9"))
    source.check({"wordpress": "6.1.9+dfsg1-0+deb12u1"})
    assert capsys.readouterr().err == ""
    source.check({"wordpress": "6.1.10+dfsg1-0+deb12u1"})
    assert "the tag says 6.1.9" in capsys.readouterr().err
    with pytest.raises(Failure, match="did not install wordpress"):
        source.check({"apache2": "2.4.62-1"})


def test_the_machines_own_mirror_is_used_for_debian_only() -> None:
    targets = """
http://mirror.example/debian/ bookworm main Debian
http://mirror.example/debian/ bookworm main Debian
http://mirror.example/debian/ bookworm contrib Debian
http://mirror.example/security/ bookworm-security main Debian
http://apt.example/ bookworm main Example
http://apt.example/ bookworm main
cdrom:[Debian]/ bookworm main Debian
"""
    assert [line.split("] ")[1] for line in debian.sources_list(targets)] == [
        "http://mirror.example/debian/ bookworm main",
        "http://mirror.example/security/ bookworm-security main",
    ]


@pytest.mark.parametrize("targets", ["", "http://mirror.example/ubuntu/ noble main Ubuntu\n"])
def test_a_machine_of_another_release_leaves_the_mirror_to_mmdebstrap(targets: str) -> None:
    assert debian.sources_list(targets) == []

from pathlib import Path

import pytest

from siteforge.errors import SettingsError
from siteforge.fleet.source import Source


@pytest.fixture
def source(tmp_path: Path) -> Source:
    for name in ("mounted", "project"):
        (tmp_path / name).mkdir()
    return Source(tmp_path / "mounted", tmp_path / "project")


def mount(source: Source, version: str, **files: str) -> None:
    """As Kubernetes mounts a ConfigMap: all files change at once."""
    folder = source.folder / f"..{version}"
    folder.mkdir()
    for name, text in files.items():
        (folder / f"{name}.yaml").write_text(text)
        link = source.folder / f"{name}.yaml"
        if not link.is_symlink():
            link.symlink_to(f"..data/{name}.yaml")
    new = source.folder / "..data_tmp"
    new.symlink_to(folder.name)
    new.replace(source.folder / "..data")


def test_the_files_of_a_mounted_config_map_are_taken_and_those_that_went_go(source: Source) -> None:
    (source.project / "Pulumi.yaml").write_text("the image's own")
    mount(source, "1", tenants="one", cells="all")
    first = source.take()
    assert (source.project / "tenants.yaml").read_text() == "one"
    assert source.digest() == first
    mount(source, "2", tenants="two")
    assert source.digest() != first
    assert (source.project / "tenants.yaml").read_text() == "one", "nothing changes before it is taken"
    assert source.take() == source.digest()
    assert sorted(path.name for path in source.project.iterdir() if path.name[0] != ".") == [
        "Pulumi.yaml",
        "tenants.yaml",
    ]
    assert (source.project / "tenants.yaml").read_text() == "two"


def test_a_checkout_is_taken_without_what_is_hidden_and_links_are_not_written_through(source: Source) -> None:
    (source.folder / ".git").mkdir()
    (source.folder / ".git" / "HEAD").write_text("ref")
    (source.folder / "tenants").mkdir()
    (source.folder / "tenants" / "blog.yaml").write_text("name: blog")
    (source.folder / "Pulumi.yaml").write_text("another")
    kept = source.project.parent / "image"
    kept.write_text("the image's own")
    (source.project / "Pulumi.yaml").symlink_to(kept)
    source.take()
    assert (source.project / "tenants" / "blog.yaml").read_text() == "name: blog"
    assert not (source.project / ".git").exists()
    assert (kept.read_text(), (source.project / "Pulumi.yaml").read_text()) == ("the image's own", "another")


def test_a_source_that_cannot_be_read_is_named(source: Source, tmp_path: Path) -> None:
    (source.folder / "..data").symlink_to("nowhere")
    with pytest.raises(SettingsError, match="mounted can't be read"):
        source.take()
    (tmp_path / "project" / "tenants.yaml").mkdir()
    (source.folder / "..data").unlink()
    (source.folder / "tenants.yaml").write_text("x")
    with pytest.raises(SettingsError, match="can't be written"):
        source.take()

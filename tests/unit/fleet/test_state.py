import gzip
import json
import os
from pathlib import Path
from typing import Any

import pytest

from siteforge.errors import EngineError
from siteforge.fleet import state

URN = "urn:pulumi:prod::siteforge::siteforge:index:Tenant$kubernetes:core/v1:Secret::blog-aku-secret"


def text(resources: int = 2, minute: int = 0) -> bytes:
    """A state as Pulumi writes it."""
    latest = {
        "manifest": {"time": f"2026-11-29T00:{minute:02}:01.607926769Z", "version": "3.259.0"},
        "resources": [{"urn": f"{URN}-{number}", "type": "kubernetes:core/v1:Secret"} for number in range(resources)],
    }
    return json.dumps({"version": 3, "checkpoint": {"stack": "organization/siteforge/prod", "latest": latest}}).encode()


@pytest.fixture
def backend(tmp_path: Path) -> Path:
    """A backend whose stack `prod` has run twice and was then changed."""
    files = {
        "stacks/siteforge/prod.json": text(3, 3),
        "stacks/siteforge/prod.json.attrs": b"{}",
        "stacks/siteforge/prod.json.bak": text(2, 2),
        "stacks/siteforge/prod-b.json": text(9, 9),
        "stacks/siteforge/prod-b.json.bak": text(9, 9),
        "backups/siteforge/prod/prod.1763000000000000000.json": text(1, 1),
        "history/siteforge/prod/prod-1763000000000000000.checkpoint.json": text(1, 1),
        "history/siteforge/prod/prod-1763000000000000000.history.json": b"{}",
    }
    for name, content in files.items():
        path = tmp_path / ".pulumi" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return tmp_path


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"", "empty"),
        (b"\0" * 4096, "empty"),
        (text()[:100], "not JSON"),
        (b"{}", "JSON, and no state of Pulumi's"),
        (b"[]", "JSON, and no state of Pulumi's"),
        (b'{"version": 3, "checkpoint": {"latest": {"resources": [1]}}}', "a state with resources that are none"),
        (gzip.compress(text(), mtime=0)[:50], "compressed, and broken"),
        (b"\x28\xb5\x2f\xfd" + b"\0" * 50, "compressed by zstd"),
        (b"\xff\xfe", "not JSON"),
    ],
)
def test_what_is_no_state_is_told(tmp_path: Path, content: bytes, problem: str) -> None:
    path = tmp_path / "prod.json"
    path.write_bytes(content)
    found = state.read(path)
    assert found.problem.startswith(problem)
    assert found.resources == 0


@pytest.mark.parametrize("content", [text(), gzip.compress(text())], ids=["plain", "gzip"])
def test_a_state_is_read(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "prod.json"
    path.write_bytes(content)
    found = state.read(path)
    assert (found.problem, found.resources) == ("", 2)
    assert str(found) == f"{path}: of 2026-11-29 00:00:01 UTC, 2 resources"


def test_a_missing_state_is_told(tmp_path: Path) -> None:
    assert state.read(tmp_path / "prod.json").problem == "No such file or directory"


def test_copies_are_those_of_the_stack_the_newest_good_one_first(backend: Path) -> None:
    bad = backend / ".pulumi" / "backups" / "siteforge" / "prod" / "prod.1764000000000000000.json"
    bad.write_bytes(text(5, 5)[:-3])
    found = state.copies(backend, "siteforge", "prod")
    assert [copy.resources for copy in found] == [2, 1, 1, 0]
    assert found[-1].path == bad and "not JSON" in found[-1].problem


def test_a_restored_state_is_the_copy_and_the_broken_one_stays_beside_it(backend: Path) -> None:
    file = state.file(backend, "siteforge", "prod")
    file.write_bytes(b"broken")
    copy = state.copies(backend, "siteforge", "prod")[0]
    kept = state.restore(file, copy)
    assert kept is not None and kept.read_bytes() == b"broken" and kept.parent == file.parent
    assert file.read_bytes() == copy.path.read_bytes() == text(2, 2)
    assert kept.name.startswith("prod.json.broken-"), "Pulumi takes what ends with .json for a stack"


def test_a_compressed_copy_becomes_a_compressed_state(backend: Path) -> None:
    copy = backend / ".pulumi" / "stacks" / "siteforge" / "prod.json.gz.bak"
    copy.write_bytes(gzip.compress(text(4, 4)))
    file = state.file(backend, "siteforge", "prod")
    file.write_bytes(b"")
    newest = state.copies(backend, "siteforge", "prod")[0]
    assert newest.path == copy
    state.restore(file, newest)
    assert not file.exists(), "of two states, Pulumi would take the later one"
    assert state.file(backend, "siteforge", "prod").name == "prod.json.gz"


def test_a_state_that_was_deleted_is_restored(backend: Path) -> None:
    file = state.file(backend, "siteforge", "prod")
    file.unlink()
    assert state.restore(file, state.copies(backend, "siteforge", "prod")[0]) is None
    assert state.read(file).resources == 2


def test_a_folder_that_cannot_be_written_keeps_the_broken_state(backend: Path) -> None:
    file = state.file(backend, "siteforge", "prod")
    file.write_bytes(b"broken")
    copy = state.copies(backend, "siteforge", "prod")[0]
    (file.parent / f".prod.json.{os.getpid()}").mkdir()
    with pytest.raises(EngineError, match=r"prod\.json can't be written: Is a directory"):
        state.restore(file, copy)
    assert file.read_bytes() == b"broken"


def exported(*operations: dict[str, Any]) -> dict[str, Any]:
    return {"version": 3, "deployment": {"resources": [{"urn": URN}], "pending_operations": list(operations)}}


def test_operations_under_way_are_found_and_cleared() -> None:
    secret = {"kind": "Secret", "metadata": {"name": "wordpress", "namespace": "blog-aku"}, "data": {}}
    found = exported(
        {"resource": {"urn": URN, "type": "kubernetes:core/v1:Secret", "inputs": secret}, "type": "creating"},
        {"resource": {"urn": f"{URN}::x", "type": "siteforge:index:Tenant"}, "type": "updating"},
    )
    first, second = state.pending(found)
    assert (str(first), first.manifest) == ("creating blog-aku-secret", secret)
    assert second.manifest == {}
    settled = state.settled(found)
    assert state.pending(settled) == []
    assert settled["deployment"]["resources"] == [{"urn": URN}]


def test_a_stack_that_never_ran_has_none() -> None:
    assert state.pending({"version": 3, "deployment": None}) == []
    assert state.pending({"version": 3, "deployment": {}}) == []

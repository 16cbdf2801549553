"""Golden pairs: every file under tests/catalogue/invalid gives exactly the messages of its .error twin."""

import os
import time
from pathlib import Path

import pytest

from siteforge import catalogue, document
from siteforge.errors import CatalogueError

SAMPLES = Path(__file__).parents[1] / "catalogue"
INVALID = sorted(SAMPLES.glob("invalid/*.yaml"))
VALID = sorted(SAMPLES.glob("valid/*.yaml"))


@pytest.mark.parametrize("path", INVALID, ids=lambda path: path.stem)
def test_an_invalid_catalogue_gives_all_its_messages_at_once(path: Path) -> None:
    started = time.monotonic()
    with pytest.raises(CatalogueError) as error:
        catalogue.load(path, "tenants.yaml")
    assert time.monotonic() - started < 1
    assert str(error.value) + "\n" == path.with_suffix(".error").read_text()


@pytest.mark.parametrize("path", VALID, ids=lambda path: path.stem)
def test_a_valid_catalogue_is_read(path: Path) -> None:
    assert catalogue.load(path)


def test_every_invalid_sample_has_its_messages_and_no_message_is_left_over() -> None:
    assert {path.stem for path in INVALID} == {path.stem for path in SAMPLES.glob("invalid/*.error")}


def test_what_is_written_is_what_is_meant() -> None:
    (tenant,) = catalogue.load(SAMPLES / "valid" / "numbers_and_words_as_texts.yaml")
    assert (tenant.name, tenant.title, tenant.admin_email) == ("123", "no", "on@example.com")


def test_the_shipped_catalogue_has_three_tenants() -> None:
    tenants = catalogue.load(SAMPLES.parents[1] / "tenants.yaml")
    assert [tenant.name for tenant in tenants] == ["blog-aku", "shop-lumi", "club-otava"]


def message(path: Path) -> str:
    with pytest.raises(CatalogueError) as error:
        catalogue.load(path, "tenants.yaml")
    return str(error.value)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    assert message(tmp_path / "none.yaml") == (
        "tenants.yaml:1:1: no such file - create it, or name the right one in siteforge:catalogue"
    )


def test_a_folder_or_a_pipe_is_no_catalogue(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path, tmp_path / "pipe"):
        assert message(path) == "tenants.yaml:1:1: not a file - name a YAML file"


def test_a_file_over_one_mebibyte_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "large.yaml"
    path.write_text("#" * (document.MAXIMUM_BYTES + 1))
    assert "larger than 1 MiB" in message(path)


def test_a_thousand_tenants_are_read_within_two_seconds(tmp_path: Path) -> None:
    path = tmp_path / "many.yaml"
    entries = (f"- {{name: t{i}, title: T, adminEmail: a@example.com, plan: nano}}\n" for i in range(1000))
    path.write_text("tenants:\n" + "".join(entries))
    started = time.monotonic()
    assert len(catalogue.load(path)) == 1000
    assert time.monotonic() - started < 2

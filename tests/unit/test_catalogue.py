"""Golden pairs: every file under tests/catalogue/invalid gives exactly the messages of its .error twin."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from siteforge import catalogue, document
from siteforge.errors import MAXIMUM_PROBLEMS, CatalogueError, Problem

SAMPLES = Path(__file__).parents[1] / "catalogue"
INVALID = sorted(SAMPLES.glob("invalid/*.yaml"))
VALID = sorted(SAMPLES.glob("valid/*.yaml"))

DUMP = """
import pathlib, sys
from siteforge import catalogue, errors
for name in sys.argv[1:]:
    try:
        catalogue.load(pathlib.Path(name))
    except errors.CatalogueError as error:
        print(error)
"""


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


@pytest.mark.parametrize("path", INVALID, ids=lambda path: path.stem)
def test_every_message_has_a_place_and_a_fix(path: Path) -> None:
    for problem in problems(path):
        assert problem.line >= 1
        assert problem.column >= 1
        assert problem.fix, problem


def test_messages_do_not_depend_on_the_order_of_sets() -> None:
    command = [sys.executable, "-c", DUMP, *map(str, INVALID)]
    outputs = [
        subprocess.run(command, env=os.environ | {"PYTHONHASHSEED": seed}, capture_output=True, check=True).stdout
        for seed in ("1", "2")
    ]
    assert outputs[0]
    assert outputs[0] == outputs[1]


def test_every_invalid_sample_has_its_messages_and_no_message_is_left_over() -> None:
    assert {path.stem for path in INVALID} == {path.stem for path in SAMPLES.glob("invalid/*.error")}


def test_what_is_written_is_what_is_meant() -> None:
    tenants = catalogue.load(SAMPLES / "valid" / "numbers_and_words_as_texts.yaml")
    assert [(tenant.name, tenant.title) for tenant in tenants] == [
        ("123", "no"),
        ("off", "12:30:45"),
        ("true", "2026-11-23"),
        ("y", "1_000"),
    ]


def test_the_shipped_catalogue_has_three_tenants() -> None:
    tenants = catalogue.load(SAMPLES.parents[1] / "tenants.yaml")
    assert [tenant.name for tenant in tenants] == ["blog-aku", "shop-lumi", "club-otava"]


def problems(path: Path) -> list[Problem]:
    with pytest.raises(CatalogueError) as error:
        catalogue.load(path, "tenants.yaml")
    return error.value.problems


def message(path: Path) -> str:
    return "\n".join(str(problem) for problem in problems(path))


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    assert message(tmp_path / "none.yaml") == ("tenants.yaml:1:1: no such file - create it, or name the right one")


def test_a_pipe_or_a_device_is_no_catalogue(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "pipe", Path("/dev/null"), Path("/dev/zero")):
        assert message(path) == "tenants.yaml:1:1: not a file - name a YAML file"


def test_a_file_that_cannot_be_opened_says_why(tmp_path: Path) -> None:
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    (tmp_path / "file").touch()
    for path, reason in (
        (tmp_path / "loop", "Too many levels of symbolic links"),
        (tmp_path / "file" / "tenants.yaml", "Not a directory"),
        (tmp_path / ("a" * 300), "File name too long"),
    ):
        assert message(path) == f"tenants.yaml:1:1: can't be read: {reason} - check its name and permissions"


ONE = "name: {0}\ntitle: T\nadminEmail: a@example.com\n"


def folder(path: Path, **files: str) -> Path:
    for name, text in files.items():
        (path / f"{name}.yaml").write_text(text)
    return path


def test_a_folder_has_a_tenant_a_file_or_a_list_of_them(tmp_path: Path) -> None:
    listed = "tenants:\n  - {name: club, title: T, adminEmail: a@example.com}\n"
    folder(tmp_path, shop=ONE.format("shop"), blog=ONE.format("blog"), more=listed)
    (tmp_path / ".hidden.yaml").write_text("nothing: of a tenant\n")
    (tmp_path / "README.md").write_text("nothing of a tenant\n")
    assert [spec.name for spec in catalogue.load(tmp_path)] == ["blog", "club", "shop"]


def test_all_mistakes_of_a_folder_are_told_each_by_its_file(tmp_path: Path) -> None:
    folder(
        tmp_path,
        a=ONE.format("blog") + "domains: [lumi.example.com]\n",
        b=ONE.format("blog") + "plan: micra\n",
        c=ONE.format("shop") + "domains: [LUMI.example.com]\n",
        d="tenants: [\n",
        e="a: b\n",
    )
    with pytest.raises(CatalogueError) as error:
        catalogue.load(tmp_path, "customers/")
    assert str(error.value).splitlines() == [
        "customers/b.yaml:1:7: name: the same name as the tenant in customers/a.yaml:1 (blog) - choose another name",
        "customers/b.yaml:4:7: plan: there is no such plan (micra) - did you mean micro?",
        "customers/c.yaml:4:11: domains[0]: a domain of the tenant blog in customers/a.yaml:4 already"
        " (LUMI.example.com) - let one tenant have it",
        "customers/d.yaml:2:1: not valid YAML: did not find expected node content - check indentation and quotes",
        "customers/e.yaml:1:1: a: unknown key - use one of tenants",
        "customers/e.yaml:1:1: tenants: no tenants - list at least one tenant under `tenants:`;"
        " to remove all, run `pulumi destroy`",
    ]


def test_a_folder_without_a_catalogue_is_a_mistake_and_never_means_that_all_are_to_go(tmp_path: Path) -> None:
    assert message(tmp_path).startswith("tenants.yaml:1:1: a folder without a *.yaml file - list at least one tenant")


def test_a_file_has_a_list_even_of_one_tenant(tmp_path: Path) -> None:
    with pytest.raises(CatalogueError):
        catalogue.load(folder(tmp_path, one=ONE.format("blog")) / "one.yaml")


def test_a_file_name_with_escape_sequences_is_shown_without_them(tmp_path: Path) -> None:
    path = tmp_path / "\x1b[31m\n\udcff.yaml"
    with pytest.raises(CatalogueError) as error:
        catalogue.load(path)
    assert (
        str(error.value) == f"{tmp_path}/\\x1b[31m\\n\\udcff.yaml:1:1: no such file - create it, or name the right one"
    )


def test_a_file_over_one_mebibyte_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "large.yaml"
    path.write_text("#" * (document.MAXIMUM_BYTES + 1))
    assert message(path) == "tenants.yaml:1:1: larger than 1 MiB - split the catalogue"


def test_twenty_levels_are_read_and_one_more_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "deep.yaml"
    for depth in (document.MAXIMUM_DEPTH, document.MAXIMUM_DEPTH + 1):
        path.write_text("[" * depth + "]" * depth)
        assert ("nested more than 20 deep" in message(path)) is (depth > document.MAXIMUM_DEPTH)


def test_a_thousand_tenants_are_read_within_two_seconds(tmp_path: Path) -> None:
    path = tmp_path / "many.yaml"
    entries = (f"- {{name: t{i}, title: T, adminEmail: a@example.com, plan: nano}}\n" for i in range(1000))
    path.write_text("tenants:\n" + "".join(entries))
    started = time.monotonic()
    assert len(catalogue.load(path)) == 1000
    assert time.monotonic() - started < 2


def test_after_a_thousand_mistakes_the_last_line_says_that_more_follow(tmp_path: Path) -> None:
    path = tmp_path / "many.yaml"
    path.write_text("tenants:\n" + "- {name: A, title: T, adminEmail: a@example.com}\n" * MAXIMUM_PROBLEMS)
    found = problems(path)
    assert len(found) == MAXIMUM_PROBLEMS + 1
    assert str(found[-1]).endswith(": more problems follow - mend those above first")
    assert found[-1].line == found[-2].line > 1


# Files of nearly a mebibyte that are the slowest to judge: what they begin with, repeat, and end with.
HOSTILE = {
    "empty tenants": ("tenants: [", "{},", 340_000, "]"),
    "numbers": ("tenants: [", "0,", 500_000, "]"),
    "nothing": ("tenants: [", "~,", 500_000, "]"),
    "aliases": ("tenants: [", "*a,", 300_000, "]"),
    "unknown keys": ("tenants: [", "{a: 1},", 140_000, "]"),
    "one tenant again and again": ("tenants: [", "{name: a, title: T, adminEmail: a@b.co},", 24_000, "]"),
    "brackets": ("", "[", 1_000_000, ""),
    "documents": ("", "---\n", 250_000, ""),
    "a long name": ("tenants: [{name: ", "a", 1_000_000, "}]"),
    "a long image": ("tenants: [{wordpress: {image: ", "a", 1_000_000, "}}]"),
    "a long plan": ("tenants: [{plan: ", "a", 1_000_000, "}]"),
    "a long number": ("tenants: [{title: ", "9", 1_000_000, "}]"),
    "a long title": ("tenants: [{title: '", " ", 1_000_000, "'}]"),
    "a long e-mail address": ("tenants: [{adminEmail: ", "a.", 500_000, "}]"),
    "an owner again and again": ("tenants: [{owners: {users: [", "a,", 99_000, "]}}]"),
    "empty tolerations": ("tenants: [{wordpress: {scheduling: {tolerations: [", "{},", 99_000, "]}}}]"),
    "a long owner": ("tenants: [{owners: {users: [", "a", 1_000_000, "]}}]"),
    "a long key of a label": ("tenants: [{wordpress: {scheduling: {tolerations: [{key: ", "a.", 500_000, "}]}}}]"),
    "a long quantity": ("tenants: [{wordpress: {volume: {size: 0.", "0", 1_000_000, "}}}]"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_mebibyte_of_mistakes_is_judged_within_seconds(tmp_path: Path, name: str) -> None:
    begin, middle, count, end = HOSTILE[name]
    path = tmp_path / "hostile.yaml"
    path.write_text(begin + middle * count + end)
    assert path.stat().st_size <= document.MAXIMUM_BYTES
    started = time.process_time()  # of this process alone: the machine may be busy
    assert problems(path)
    assert time.process_time() - started < 5

import json
import os
import pty
import subprocess
from pathlib import Path

import pytest

from siteforge import catalogue
from siteforge.errors import CatalogueError
from tests.support.cli import PROGRAM, siteforge

ROOT = Path(__file__).parents[3]
INVALID = ROOT / "tests" / "catalogue" / "invalid"
EMPTY = ["empty_file", "only_comments", "empty_list", "tenants_without_value"]


def test_a_valid_catalogue_exits_with_0_and_one_line() -> None:
    done = siteforge("validate", "tenants.yaml", cwd=ROOT)
    assert (done.returncode, done.stdout, done.stderr) == (0, "tenants.yaml: 3 tenants, no mistakes\n", "")


def test_the_file_is_tenants_yaml_unless_named(tmp_path: Path) -> None:
    done = siteforge("validate", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "tenants.yaml:1:1: no such file - create it, or name the right one\n"


@pytest.mark.parametrize("sample", ["bad_names", "escape_sequences", "mistakes_of_all_kinds"])
def test_an_invalid_catalogue_exits_with_2_and_its_messages(tmp_path: Path, sample: str) -> None:
    (tmp_path / "tenants.yaml").write_bytes((INVALID / f"{sample}.yaml").read_bytes())
    done = siteforge("validate", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == (INVALID / f"{sample}.error").read_text()


@pytest.mark.parametrize("sample", EMPTY)
def test_an_empty_catalogue_never_means_to_remove_all(sample: str) -> None:
    done = siteforge("validate", INVALID / f"{sample}.yaml")
    assert done.returncode == 2
    assert "to remove all, run `pulumi destroy`" in done.stderr


def test_json_of_a_valid_catalogue_lists_its_tenants() -> None:
    done = siteforge("validate", "--output", "json", cwd=ROOT)
    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads(done.stdout) == {
        "file": "tenants.yaml",
        "tenants": ["blog-aku", "shop-lumi", "club-otava"],
        "problems": [],
    }


def test_json_of_an_invalid_catalogue_has_the_problems_by_field_and_exits_with_2(tmp_path: Path) -> None:
    (tmp_path / "tenants.yaml").write_bytes((INVALID / "no_such_plan.yaml").read_bytes())
    done = siteforge("validate", "-o", "json", cwd=tmp_path)
    assert (done.returncode, done.stderr) == (2, "")
    assert json.loads(done.stdout) == {
        "file": "tenants.yaml",
        "tenants": [],
        "problems": [
            {
                "file": "tenants.yaml",
                "line": 5,
                "column": 11,
                "path": "tenants[0].plan",
                "reason": "there is no such plan",
                "value": "micr0",
                "fix": "did you mean micro?",
                "message": "tenants.yaml:5:11: tenants[0].plan: there is no such plan (micr0) - did you mean micro?",
            }
        ],
    }


def test_json_has_as_many_problems_as_there_are(tmp_path: Path) -> None:
    for path in sorted(INVALID.glob("bad_*.yaml"))[:3]:
        with pytest.raises(CatalogueError) as error:
            catalogue.load(path)
        done = siteforge("validate", "--output", "json", path)
        assert [problem["message"] for problem in json.loads(done.stdout)["problems"]] == str(error.value).splitlines()


def test_a_terminal_gets_colours_and_the_same_words() -> None:
    path = INVALID / "escape_sequences.yaml"
    ours, theirs = pty.openpty()
    environment = {"PATH": os.environ["PATH"], "TERM": "xterm", "COLUMNS": "40"}
    done = subprocess.run([PROGRAM, "validate", path], stderr=theirs, env=environment, timeout=60, check=False)
    os.close(theirs)
    shown = b""
    while True:
        try:
            shown += os.read(ours, 65536)
        except OSError:  # the end of a terminal
            break
    os.close(ours)
    assert done.returncode == 2
    colours = {b"\x1b[1m", b"\x1b[31m", b"\x1b[0m"}
    assert all(colour in shown for colour in colours)
    for colour in colours:
        shown = shown.replace(colour, b"")
    with pytest.raises(CatalogueError) as error:
        catalogue.load(path)
    assert shown.decode().replace("\r\n", "\n") == f"{error.value}\n"


def test_nothing_can_be_said_in_a_locale_without_umlauts_and_is_said_escaped(tmp_path: Path) -> None:
    (tmp_path / "tenants.yaml").write_text("tenants:\n  - name: blög\n    title: T\n    adminEmail: a@example.com\n")
    done = siteforge("validate", cwd=tmp_path, PYTHONIOENCODING="ascii", LC_ALL="C")
    assert done.returncode == 2
    assert "bl" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_file_name_with_escape_sequences_is_shown_without_them(tmp_path: Path) -> None:
    path = tmp_path / "\x1b[31m.yaml"
    path.write_bytes((ROOT / "tenants.yaml").read_bytes())
    assert siteforge("validate", path).stdout == f"{tmp_path}/\\x1b[31m.yaml: 3 tenants, no mistakes\n"

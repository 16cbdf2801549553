import os
import subprocess
from pathlib import Path

from siteforge.fleet.archives import DATABASE, FILES, About, Writer
from tests.support.cli import PROGRAM

TIMES = ["2026-11-29T08:15:00Z", "2026-11-28T08:15:00Z"]
CATALOGUE = "tenants: [{name: blog-aku, title: A, adminEmail: a@example.com, plan: nano}]"


def offered(folder: Path, line: str) -> list[str]:
    """What a shell is offered for the last word of a line."""
    words = line.split(" ")
    variables = {"_SITEFORGE_COMPLETE": "complete_zsh", "_TYPER_COMPLETE_ARGS": line, "COMP_WORDS": line}
    environment = {"PATH": os.environ["PATH"], "COMP_CWORD": str(len(words) - 1), **variables}
    done = subprocess.run([PROGRAM], cwd=folder, env=environment, capture_output=True, text=True, check=False)
    return done.stdout.replace("\\\\:", ":").split('"')[1::2]


def write(folder: Path) -> None:
    for time in TIMES:
        with Writer(folder, "blog-aku") as writer:
            writer.add(DATABASE, [b"CREATE"])
            writer.add(FILES, [b"x"])
            writer.finish(About("blog-aku", time, "wordpress:6.8", "6.8", "mariadb:11.4", "", False))


def test_times_of_the_backups_of_the_tenant_are_offered(tmp_path: Path) -> None:
    write(tmp_path / "backups")
    write(tmp_path / "elsewhere")
    (tmp_path / "elsewhere" / "blog-aku" / "2026-11-29T081500Z.zip").unlink()
    assert offered(tmp_path, "siteforge restore blog-aku --at ") == ["latest", *TIMES]
    assert offered(tmp_path, "siteforge restore blog-aku --at 2026-11-28") == TIMES[1:]
    assert offered(tmp_path, "siteforge restore blog-aku --from elsewhere --at 2") == TIMES[1:]
    assert offered(tmp_path, "siteforge restore nobody --at 2") == []
    assert offered(tmp_path, "siteforge restore blog-aku --from s3://bucket/x --at 2") == []


def test_tenants_of_the_catalogue_are_offered(tmp_path: Path) -> None:
    (tmp_path / "tenants.yaml").write_text(CATALOGUE)
    assert offered(tmp_path, "siteforge import b") == ["blog-aku"]
    assert offered(tmp_path, "siteforge export b") == ["blog-aku"]

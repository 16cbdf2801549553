"""A name can't be changed: `renamedFrom` is refused, and the site is copied as docs/renaming.md says."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.conftest import MakeStack
from tests.support.commands import kubectl, run
from tests.support.site import Site
from tests.support.stack import Stack

OLD, NEW = "e2e-copied-old", "e2e-copied-new"
DOCUMENT = Path(__file__).parents[2] / "docs" / "renaming.md"


def catalogue(*names: str, extra: str = "") -> str:
    line = "  - name: {}\n    title: A site with posts\n    adminEmail: a@example.com\n    plan: nano\n"
    return "tenants:\n" + "".join(map(line.format, names)) + extra


@pytest.fixture(scope="module")
def stack(make_stack: MakeStack) -> Iterator[Stack]:
    made = make_stack("copied")
    made.configure("deletionProtection", "true")
    made.catalogue(catalogue(OLD))
    made.up()
    yield made
    made.configure("deletionProtection", "false")
    made.catalogue(catalogue(OLD, NEW))
    made.up()


def test_a_rename_is_refused_with_the_reason_before_anything_is_touched(stack: Stack) -> None:
    before = kubectl("get", "all,secret,pvc", "-n", OLD, "-o", "jsonpath={.items[*].metadata.uid}")
    for text, message in (
        (catalogue(NEW, extra=f"    renamedFrom: {OLD}\n"), f"{OLD} can't become {NEW}: a namespace has one name"),
        (catalogue(NEW), f"tenant {OLD}: removed, but protected"),
    ):
        stack.catalogue(text)
        for done in (stack.preview(check=False), stack.up(check=False)):
            assert done.code != 0
            assert message in done.output
    assert kubectl("get", "all,secret,pvc", "-n", OLD, "-o", "jsonpath={.items[*].metadata.uid}") == before
    assert kubectl("get", "namespace", NEW, "--ignore-not-found") == ""


def test_the_documented_lines_copy_posts_files_and_users(stack: Stack) -> None:
    password = stack.output("adminPasswords")[OLD]
    old = Site(OLD, password)
    old.post("Written before the move")
    file = old.upload("before.txt", b"uploaded before the move")
    stack.catalogue(catalogue(OLD, NEW))
    stack.up()
    (lines,) = re.findall(r"```sh\n(.*?)```", DOCUMENT.read_text(), re.DOTALL)
    run(["bash", "-euo", "pipefail", "-c", lines], env={"OLD": OLD, "NEW": NEW})
    kubectl("rollout", "status", "-n", NEW, "deployment/wordpress", "--timeout=180s")
    new = Site(NEW, stack.output("adminPasswords")[NEW])
    assert new.posts() == old.posts()
    assert "Written before the move" in new.posts()
    assert new.get(file).body == "uploaded before the move"
    new.post("Written after it, with the password that the stack tells")
    assert len(new.posts()) == len(old.posts()) + 1
    assert set(stack.preview().counts) <= {"unchanged", "updated"}

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.conftest import declare
from tests.support.commands import kubectl
from tests.support.stack import ROOT, Result, Stack

SAMPLES = ROOT / "tests" / "catalogue" / "invalid"


@pytest.fixture
def untouched(blog_stack: Stack) -> Iterator[Stack]:
    """The shared stack, which the test must leave as it is."""
    before = known(blog_stack), generations()
    yield blog_stack
    declare(blog_stack)
    assert (known(blog_stack), generations()) == before


def known(stack: Stack) -> set[tuple[str, str]]:
    """What the state has: by name and identity, since every refresh writes what it found about them."""
    return {(resource["urn"], resource.get("id", "")) for resource in stack.resources()}


def generations() -> str:
    """The tenant's objects with their generations."""
    kinds = "deployment,statefulset,service,resourcequota,limitrange,secret,configmap,pvc"
    path = "jsonpath={range .items[*]}{.kind}/{.metadata.name}/{.metadata.uid}/{.metadata.generation}{'\\n'}{end}"
    return kubectl("get", kinds, "-n", "e2e-blog", "-o", path)


# tests/unit/test_catalogue.py has all the messages; here it is that Pulumi shows them and does nothing.
@pytest.mark.parametrize("sample", ["bad_names", "requests_over_limits", "empty_file"])
def test_a_bad_catalogue_stops_up_with_its_messages_and_changes_nothing(untouched: Stack, sample: str) -> None:
    untouched.catalogue((SAMPLES / f"{sample}.yaml").read_text())
    result = untouched.up(check=False)
    assert result.code != 0
    for line in (SAMPLES / f"{sample}.error").read_text().splitlines():
        assert line in result.output
    assert "Traceback" not in result.output


def messages(result: Result, text: str) -> set[str]:
    """The messages with this text; Pulumi prints each when it comes and again at the end."""
    return {line.partition("tenants.yaml:")[2] for line in result.output.splitlines() if text in line}


def test_a_missing_catalogue_stops_up_with_one_line(untouched: Stack) -> None:
    Path(untouched.folder, "tenants.yaml").unlink()
    result = untouched.up(check=False)
    assert result.code != 0
    assert len(messages(result, "no such file")) == 1
    assert "Traceback" not in result.output


def test_a_catalogue_over_the_cluster_budget_stops_up_with_one_line(untouched: Stack) -> None:
    untouched.pulumi("config", "set", "--path", "siteforge:budget.pods", "3")
    try:
        result = untouched.up(check=False)
    finally:
        untouched.pulumi("config", "rm", "siteforge:budget")
    assert result.code != 0
    assert len(messages(result, "the catalogue needs 4 pods, over the cluster budget of 3")) == 1
    assert "Traceback" not in result.output


def test_a_wrong_passphrase_stops_up_with_a_clear_error(untouched: Stack) -> None:
    passphrase = untouched.folder / "passphrase"
    right = passphrase.read_text()
    passphrase.write_text("another one")
    try:
        result = untouched.up(check=False)
    finally:
        passphrase.write_text(right)
    assert result.code != 0
    assert "incorrect passphrase" in result.output
    assert "Traceback" not in result.output

"""Tenants whose volumes outlive their namespace, by a storage class that retains them."""

import json
from collections.abc import Iterator

import pytest

from tests.e2e.conftest import MakeStack
from tests.support.commands import kubectl
from tests.support.site import Site
from tests.support.stack import Stack, remove_kept_volumes
from tests.support.waiting import eventually

KEPT, LOST = "e2e-retain", "e2e-retain-not"
CLASS = "local-path-retain"


def volumes() -> dict[str, str]:
    """The volumes of the tenant, released or not, and the claim that each is or was of."""
    found = json.loads(kubectl("get", "pv", "-o", "json"))["items"]
    references = {one["metadata"]["name"]: one["spec"].get("claimRef", {}) for one in found}
    return {name: claim["name"] for name, claim in references.items() if claim.get("namespace") == KEPT}


@pytest.fixture(scope="module")
def stack(make_stack: MakeStack) -> Iterator[Stack]:
    """A tenant with real pods whose volumes are kept, and one beside it whose aren't."""
    stack = make_stack("retain")
    tenants = [
        {"name": name, "title": "A site of the tests", "adminEmail": "retain@example.com", "plan": "nano"}
        | {part: {"volume": {"storageClass": storage_class}} for part in ("wordpress", "database")}
        for name, storage_class in ((KEPT, CLASS), (LOST, "local-path"))
    ]
    stack.catalogue(json.dumps({"tenants": tenants}))
    stack.up()
    yield stack
    stack.destroy()
    # They outlive this test as well.
    remove_kept_volumes(KEPT)
    eventually("the volumes to be gone", lambda: not volumes())


def site(stack: Stack, tenant: str) -> Site:
    return Site(tenant, stack.output("adminPasswords")[tenant])


def test_recover_binds_the_volumes_of_a_deleted_namespace_and_the_posts_are_back(stack: Stack) -> None:
    before = volumes()
    assert sorted(before.values()) == ["mariadb", "wordpress"]
    for tenant in (KEPT, LOST):
        site(stack, tenant).post("Before the namespace went")
    path = site(stack, KEPT).upload("kept.txt", b"kept")
    at = json.loads(stack.siteforge("backup", LOST, "--output", "json").stdout)["time"]
    site(stack, LOST).post("After the backup")
    kubectl("delete", "namespace", KEPT, LOST, "--timeout=120s")

    doctor = stack.siteforge("doctor", check=False)
    assert "volumes were kept of tenants that are not in the cluster" in doctor.stdout

    done = stack.siteforge("recover")
    for volume, claim in before.items():
        assert f"persistentvolumeclaim/{claim} in {KEPT}: gone, its volume {volume} was kept" in done.stdout
        assert f"persistentvolumeclaim/{claim} in {LOST}: gone, and its volume with it" in done.stdout
    assert f"LOST - once the site is installed anew, `siteforge restore {LOST} --at {at}` brings back" in done.stdout
    assert volumes() == before
    eventually("the posts", lambda: "Before the namespace went" in site(stack, KEPT).posts(), namespace=KEPT)
    assert site(stack, KEPT).get(path).body == "kept"
    eventually("a new site", lambda: site(stack, LOST).posts() == {"Hello world!"}, namespace=LOST)
    stack.siteforge("restore", LOST, "--at", at)
    eventually("its posts", lambda: "Before the namespace went" in site(stack, LOST).posts(), namespace=LOST)
    assert "After the backup" not in site(stack, LOST).posts()
    assert set(stack.preview().counts) == {"unchanged"}


@pytest.mark.faults
def test_siteforge_up_binds_them_too(stack: Stack) -> None:
    stack.siteforge("up", "--all")
    before = volumes()
    site(stack, KEPT).post("Before it went again")
    kubectl("delete", "namespace", KEPT, "--timeout=120s")
    done = stack.siteforge("up")
    assert f"persistentvolumeclaim/mariadb in {KEPT}: gone, its volume" in done.stderr
    assert volumes() == before
    eventually("the posts", lambda: "Before it went again" in site(stack, KEPT).posts(), namespace=KEPT)


@pytest.mark.faults
def test_a_new_tenant_of_the_same_name_does_not_get_them(stack: Stack) -> None:
    """The state does not know the claims that the volumes were of: they may be somebody else's."""
    before = set(volumes())
    stack.destroy()
    assert set(volumes()) == before
    done = stack.siteforge("up")
    assert "was kept" not in done.stdout + done.stderr
    assert len(volumes()) == 4
    eventually("a new site", lambda: site(stack, KEPT).posts() == {"Hello world!"}, namespace=KEPT)
    told = stack.siteforge("recover").stdout
    for volume in before:
        assert f"the volume {volume} was kept of another claim of this name" in told

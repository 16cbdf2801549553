"""`siteforge adopt` takes over what Pulumi doesn't know: nothing deleted or replaced, every password as it was."""

import base64
import json
from pathlib import Path
from typing import Any

import pytest

from siteforge import secrets
from siteforge.blueprint import Images, Ingress, blueprint
from siteforge.specs.objects import objects
from siteforge.tenant_spec import TenantSpec
from tests.e2e.conftest import SECRET, MakeStack
from tests.support.commands import kubectl
from tests.support.site import Site
from tests.support.stack import Stack

LOST, MADE = "e2e-adopt-lost", "e2e-adopt-made"
LINE = {"adminEmail": "adopt@example.com", "plan": "nano"}
ODD = "an odd one: ' \" \\ $x ` ; --"
"""A password of somebody's own, with all that SQL and shells read as something else."""


def catalogue(*names: str) -> str:
    return json.dumps({"tenants": [LINE | {"name": name, "title": f"The site {name}"} for name in names]})


@pytest.fixture(scope="module")
def stack(make_stack: MakeStack) -> Stack:
    return make_stack("adopt")


@pytest.fixture(scope="module")
def lost(make_stack: MakeStack, tmp_path_factory: pytest.TempPathFactory) -> Stack:
    """A stack that was up, and whose state is lost: a new folder of states, and the same configuration."""
    made = make_stack("adopt-lost")
    made.catalogue(catalogue(LOST))
    made.siteforge("up")
    Site(LOST, made.output("adminPasswords")[LOST]).post("Written before the state was lost")
    folder = tmp_path_factory.mktemp("states")
    made.environment["PULUMI_BACKEND_URL"] = f"file://{folder}"
    kept = (made.folder / f"Pulumi.{made.name}.yaml").read_text()
    made.pulumi("stack", "init", made.name)
    (made.folder / f"Pulumi.{made.name}.yaml").write_text(kept)
    assert made.resources() == []
    return made


def everything(name: str) -> dict[str, str]:
    """The UID of every object that somebody declared in a namespace, and of its pods."""
    kinds = (
        "configmap,cronjob,deployment,limitrange,networkpolicy,persistentvolumeclaim,pod,poddisruptionbudget,resourcequota,"
        "secret,service,serviceaccount,statefulset"
    )
    found = json.loads(kubectl("get", kinds, "-n", name, "-o", "json"))["items"]
    found.append(json.loads(kubectl("get", "namespace", name, "-o", "json")))
    # The pod of an earlier rollout may still be going.
    staying = (one["metadata"] | {"kind": one["kind"]} for one in found if "deletionTimestamp" not in one["metadata"])
    # Those that ask for scheduled work come and go.
    staying = (one for one in staying if not one["name"].startswith("wordpress-cron-"))
    return {f"{one['kind']}/{one['name']}": one["uid"] for one in staying}


def passwords(name: str) -> dict[str, Any]:
    found = json.loads(kubectl("get", "secret/wordpress", "secret/mariadb", "-n", name, "-o", "json"))["items"]
    return {one["metadata"]["name"]: one["data"] for one in found}


def settled(stack: Stack, name: str) -> None:
    """Nothing is left to do, whoever looks."""
    assert set(stack.preview().counts) == {"unchanged"}
    assert "nothing to do" in stack.siteforge("up").stdout
    assert stack.siteforge("drift", "--tenant", name).returncode == 0


def test_a_tenant_whose_state_is_lost_is_taken_over_as_it_is(lost: Stack) -> None:
    before, had = everything(LOST), passwords(LOST)
    done = lost.siteforge("adopt", LOST, "--output", "json")
    assert f"{LOST}: its passwords are the derived ones" in done.stderr
    assert f"{LOST}: 21 objects taken over, 0 made, none replaced" in done.stderr
    assert json.loads(done.stdout) == {"tenants": [LOST], "failed": {}, "problems": []}
    assert everything(LOST) == before
    assert passwords(LOST) == had
    assert "Written before the state was lost" in Site(LOST).posts()
    settled(lost, LOST)


def test_a_hand_made_tenant_keeps_its_own_passwords(stack: Stack) -> None:
    had = own_passwords()
    make_by_hand(had)
    site = Site(MADE, had["admin-password"])
    site.post("Written before the adoption")
    before, data = everything(MADE), passwords(MADE)
    stack.catalogue(catalogue(MADE))
    done = stack.siteforge("adopt", MADE)
    assert f"{MADE}: keeps 11 passwords and salts of its own" in done.stdout
    after = everything(MADE)
    assert {name: uid for name, uid in before.items() if not name.startswith("Pod/")}.items() <= after.items()
    found = passwords(MADE)
    assert found["wordpress"] == data["wordpress"]
    assert {key: found["mariadb"][key] for key in ("password", "root-password")} == {
        key: data["mariadb"][key] for key in ("password", "root-password")
    }
    assert stack.output("adminPasswords") == {MADE: had["admin-password"]}
    settled(stack, MADE)
    assert "Written before the adoption" in site.posts()
    site.post("Written after it")
    told = done.stdout + done.stderr + Path(stack.folder / f"Pulumi.{stack.name}.yaml").read_text()
    assert not any(value in told for value in had.values())


def test_the_database_starts_with_an_odd_password_and_gives_way_to_a_rotation(stack: Stack) -> None:
    kubectl("rollout", "restart", "-n", MADE, "statefulset/mariadb")
    kubectl("rollout", "status", "-n", MADE, "statefulset/mariadb", "--timeout=180s")
    kubectl("rollout", "status", "-n", MADE, "deployment/wordpress", "--timeout=180s")
    assert "Written after it" in Site(MADE).posts()
    line = LINE | {"name": MADE, "title": "Rotated", "credentialsVersion": 2}
    stack.catalogue(json.dumps({"tenants": [line]}))
    stack.up()
    derived = stack.output("adminPasswords")[MADE]
    assert derived.startswith(secrets.MARK)
    Site(MADE, derived).post("With a derived password")


def test_what_is_not_there_is_not_adopted(stack: Stack) -> None:
    stack.catalogue(catalogue(MADE, "e2e-adopt-none"))
    done = stack.siteforge("adopt", "e2e-adopt-none", check=False)
    assert done.returncode == 1
    assert "tenant e2e-adopt-none: nothing of it is in the cluster, to be adopted - `siteforge up`" in done.stderr
    assert stack.siteforge("adopt", "e2e-adopt-nnone", check=False).returncode == 2


def test_a_volume_that_would_be_another_is_refused(stack: Stack) -> None:
    """The API server refuses it in the preview, and nothing is changed."""
    before = everything(MADE)
    for one in reversed(stack.resources()):
        if f"::{MADE}" in one["urn"]:
            stack.pulumi("state", "delete", one["urn"], "--force", "--yes")
    line = LINE | {"name": MADE, "title": "Other", "database": {"volume": {"storageClass": "another"}}}
    stack.catalogue(json.dumps({"tenants": [line]}))
    done = stack.siteforge("adopt", MADE, check=False)
    assert done.returncode == 1
    assert "nothing in the cluster was changed" in done.stderr
    assert everything(MADE) == before
    stack.catalogue(catalogue(MADE))
    stack.siteforge("adopt", MADE)


def own_passwords() -> dict[str, str]:
    salts = {f"salt-{name}": f"{name} of somebody's own" for name in secrets.SALTS}
    return {"database-password": ODD, "database-root-password": f"{ODD} root", "admin-password": "their own"} | salts


def make_by_hand(passwords: dict[str, str]) -> None:
    """A tenant as `kubectl apply` makes it: without our annotations and labels, with passwords of its own."""
    spec = TenantSpec.model_validate(LINE | {"name": MADE, "title": "Made by hand"}, by_alias=True, by_name=False)
    values = json.loads(kubectl("get", "deployment/wordpress", "-n", LOST, "-o", "json"))
    image = values["spec"]["template"]["spec"]["containers"][0]["image"]
    database = json.loads(kubectl("get", "statefulset/mariadb", "-n", LOST, "-o", "json"))
    images = Images(image, database["spec"]["template"]["spec"]["containers"][0]["image"], "IfNotPresent")
    credentials = secrets.derive(SECRET, MADE, 1, secrets.Given(adopted=passwords))
    placed = objects(blueprint(spec, images, Ingress()), credentials)
    for one in placed:
        manifest = json.loads(json.dumps(one.manifest))
        del manifest["metadata"]["annotations"]
        manifest["metadata"]["labels"].pop("app.kubernetes.io/managed-by")
        kubectl("apply", "-f", "-", stdin=json.dumps(manifest))
    for workload in ("statefulset/mariadb", "deployment/wordpress"):
        kubectl("rollout", "status", "-n", MADE, workload, "--timeout=240s")
    live = json.loads(kubectl("get", "secret/wordpress", "-n", MADE, "-o", "json"))["data"]
    assert base64.b64decode(live["admin-password"]).decode() == passwords["admin-password"]
